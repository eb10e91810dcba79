"""Progress of a batch. The figures always add up to its number of good rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.db.models import Count, Q

from providers import clock

from ..models import Batch, Message
from ..released import may_have_been_sent
from ..states import MessageState
from .states import BatchState

S = MessageState
B = BatchState

WAITING: Final = (S.SCHEDULED, S.HELD, S.QUEUED, S.CLAIMED)
SAMPLE_EVERY: Final = timedelta(seconds=10)
SMOOTHING: Final = 0.4
"""Weight of the newest sample in the moving average."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`by_state` counts messages by state.

    `waiting` includes rows that have not become messages yet, `cancelled` those that never will.
    """

    total: int
    by_state: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0
    cancelled: int = 0

    @property
    def sending(self) -> int:
        return self.by_state.get(S.SENDING, 0)

    @property
    def out(self) -> int:
        """Messages that have left the queue, whatever their outcome."""
        return self.total - self.waiting - self.cancelled - self.sending

    @property
    def irrevocable(self) -> int:
        """Messages that can no longer be stopped, including those being sent right now."""
        return self.out + self.sending

    @property
    def percent(self) -> int:
        return 100 * (self.total - self.waiting - self.sending) // self.total if self.total else 0

    def count(self, *states: str) -> int:
        return sum(self.by_state.get(state, 0) for state in states)


def progress_of(batch: Batch) -> Progress:
    counted = dict(
        Message.objects.filter(batch=batch)
        .order_by()
        .values_list("state")
        .annotate(count=Count("pk"))
    )
    return progress_from(batch, counted)


def progress_from(batch: Batch, counted: Mapping[str, int]) -> Progress:
    """The progress of a batch whose messages were counted by state."""
    # Not from `laid_out`: rows that became messages during the count would be in neither figure.
    not_fanned_out = max(0, batch.good - sum(counted.values()))
    waiting = sum(counted.get(state, 0) for state in WAITING)
    cancelled = counted.get(S.CANCELLED, 0)
    if batch.state == B.CANCELLED:
        # The engine no longer claims the waiting messages of a cancelled batch.
        stopped = sum(counted.get(state, 0) for state in WAITING if state != S.CLAIMED)
        if may_have_been_sent(batch):
            # It was dropped from a hold, or cancelled after its release.
            unsure = counted.get(S.UNKNOWN, 0) + stopped + not_fanned_out
            by_state = {**counted, str(S.UNKNOWN): unsure}
            return Progress(batch.good, by_state, waiting - stopped, cancelled)
        return Progress(
            batch.good, counted, waiting - stopped, cancelled + stopped + not_fanned_out
        )
    return Progress(batch.good, counted, waiting + not_fanned_out, cancelled)


def sample_speed() -> None:
    """Update the measured speed of the running batches. The engine calls this regularly."""
    now = clock.now()
    due = Q(sampled_at=None) | Q(sampled_at__lte=now - SAMPLE_EVERY)
    for batch in Batch.objects.filter(due, state=B.SENDING):
        out = progress_of(batch).out
        pace = batch.a_minute
        if batch.sampled_at is not None:
            passed = (now - batch.sampled_at).total_seconds()
            measured = 60 * max(0, out - batch.sampled_out) / passed
            pace = measured if pace is None else pace + SMOOTHING * (measured - pace)
        Batch.objects.filter(pk=batch.pk).update(sampled_at=now, sampled_out=out, a_minute=pace)


def time_left(batch: Batch, progress: Progress) -> float | None:
    """Estimated seconds at the recent speed; None if there is no estimate."""
    if batch.state != B.SENDING or not batch.a_minute or not progress.waiting:
        return None
    if batch.account.is_paused:
        return None
    return 60 * progress.waiting / batch.a_minute
