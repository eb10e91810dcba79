"""Pause a batch whose first messages fail, before the rest is paid for."""

from __future__ import annotations

from typing import Final

from django.conf import settings

from ..models import Batch, Message
from ..states import MessageState
from .lifecycle import MANY_FAILED, pause_by_portal
from .states import BatchState

S = MessageState
FAILED: Final = frozenset({S.UNDELIVERED, S.REJECTED, S.EXPIRED, S.REFUSED, S.NOT_SENT})


def pause_failing() -> int:
    """Pause running batches of whose first messages too many failed; return how many.

    `BATCH_FIRST_MESSAGES` messages are looked at, so a smaller batch is never paused. A batch that
    staff continued after that is not paused again.
    """
    if not settings.BATCH_PAUSE_PERCENT:
        return 0
    running = Batch.objects.filter(
        state=BatchState.SENDING,
        hold=None,
        failures_accepted_at=None,
        good__gte=settings.BATCH_FIRST_MESSAGES,
    )
    return sum(_pause_if_failing(batch) for batch in running)


def _pause_if_failing(batch: Batch) -> bool:
    first = Message.objects.filter(batch=batch).order_by("batch_row")
    states = list(first.values_list("state", flat=True)[: settings.BATCH_FIRST_MESSAGES])
    failed = sum(state in FAILED for state in states)
    if 100 * failed < settings.BATCH_PAUSE_PERCENT * settings.BATCH_FIRST_MESSAGES:
        return False
    values = {"failed": failed, "first": settings.BATCH_FIRST_MESSAGES}
    return pause_by_portal(batch, MANY_FAILED, values)
