"""End what waits of a cancelled batch.

A batch that is or was on hold may have been sent since by a newer database. So its messages end as
unknown, never as cancelled, and its rows without a message get one that says the same.
"""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef
from django_q.tasks import async_task

from providers import clock, daily_limits
from providers.hold.holdable import FROM_BEFORE

from .. import held_messages, released
from ..models import Batch, Message
from ..states import MESSAGE_STATES, MessageState
from . import fan_out
from .states import BatchState

S = MessageState

WAITING: Final = (S.QUEUED, S.HELD, S.SCHEDULED)
CHUNK: Final = 2_000
"""Rows per statement, so that no other writer waits long for the database."""


def begin(batch: Batch) -> None:
    """Part of the transaction that cancels the batch. A queued task does the rest.

    `tasks.tend` asks again if this task is lost.
    """
    if not released.may_have_been_sent(batch):
        # Rows without a message will never get one now.
        _return_to_limits(batch, batch.good - batch.laid_out)
    else:
        Batch.objects.filter(pk=batch.pk).update(reason=FROM_BEFORE, values={})
    async_task("messaging.batches.tasks.cancel_rest", batch.pk, task_name="batch: cancel rest")


def _return_to_limits(batch: Batch, amount: int) -> None:
    if amount and batch.started_at is not None:
        daily_limits.release(batch.reserved, amount, batch.started_at)


def end_rest(batch: Batch) -> int:
    """End the waiting messages of a cancelled batch. Returns their number. Idempotent."""
    if released.may_have_been_sent(batch) and fan_out.run(batch):
        # The next run continues with the rows that have no message yet.
        return 0
    done = 0
    while pks := _waiting_keys(batch):
        with transaction.atomic():
            done += (
                _give_up(batch, pks) if released.may_have_been_sent(batch) else _cancel(batch, pks)
            )
    return done


def _waiting_keys(batch: Batch) -> list[int]:
    rows = Message.objects.filter(batch=batch, batch__state=BatchState.CANCELLED, state__in=WAITING)
    return list(rows.order_by().values_list("pk", flat=True)[:CHUNK])


def _cancel(batch: Batch, pks: list[int]) -> int:
    moved = MESSAGE_STATES.move(
        Message.objects.filter(pk__in=pks),
        S.CANCELLED,
        sources=WAITING,
        ended_at=clock.now(),
        ended_by_id=batch.ended_by_id,
    )
    _return_to_limits(batch, moved)
    return moved


def _give_up(batch: Batch, pks: list[int]) -> int:
    rows = Message.objects.filter(pk__in=pks)
    if batch.hold is None:
        end = {"ended_at": clock.now(), "ended_by_id": batch.ended_by_id}
        return released.end_unsent(rows, S.CANCELLED, WAITING, **end)
    held_messages.hold_rows(rows, batch.hold)
    return held_messages.give_up(rows, batch.ended_by)


def unfinished() -> list[Batch]:
    """Cancelled batches with waiting messages, because their task was lost."""
    waiting = Message.objects.filter(batch=OuterRef("pk"), state__in=WAITING)
    cancelled = Batch.objects.filter(state=BatchState.CANCELLED)
    return list(cancelled.filter(Exists(waiting) | fan_out.unfinished_on_hold()))
