"""Queue tasks for batches. Each may run twice or be killed midway."""

from __future__ import annotations

from providers.approvals import limit_switch, requests

from ..models import Batch
from . import cancelled_rest, fan_out, lifecycle, notices, proposals, prune_batches
from .importing import importer


def read(batch_id: int) -> None:
    importer.run(batch_id)


def lay_out(batch_id: int) -> None:
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is not None and fan_out.run(batch):
        fan_out.queue_fan_out(batch)


def cancel_rest(batch_id: int) -> None:
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is not None:
        cancelled_rest.end_rest(batch)


def tend() -> None:
    """Every minute: start due batches, redo work whose task was lost, and tell what stopped."""
    limit_switch.look()
    requests.lapse_overdue(proposals.KIND)
    lifecycle.start_due()
    for batch_id in importer.abandoned_batches():
        importer.run(batch_id)
    for batch in fan_out.unfinished_batches():
        lay_out(batch.pk)
    for batch in cancelled_rest.unfinished():
        cancelled_rest.end_rest(batch)
    lifecycle.finish_completed()
    notices.tell_blocked()


def prune() -> int:
    return prune_batches.prune()
