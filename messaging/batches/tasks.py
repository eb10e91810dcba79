"""What the queue calls about batches. Each is thin and may run twice, or be killed midway."""

from __future__ import annotations

from ..models import Batch
from . import control, kicking, laying_out, pruning, reading


def read(batch_id: int) -> None:
    reading.run(batch_id)


def lay_out(batch_id: int) -> None:
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is not None and laying_out.run(batch):
        kicking.lay_out(batch)


def cancel_rest(batch_id: int) -> None:
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is not None:
        control.cancel_rest(batch)


def tend() -> None:
    """Each minute: start what is due, and ask again for whatever was left undone."""
    control.start_what_is_due()
    for batch_id in reading.abandoned():
        reading.run(batch_id)
    for batch in laying_out.unfinished():
        lay_out(batch.pk)
    for batch in control.leftovers():
        control.cancel_rest(batch)
    control.finish_what_is_out()


def prune() -> int:
    return pruning.prune()
