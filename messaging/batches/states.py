"""The states of a batch and the allowed moves between them."""

from __future__ import annotations

from enum import StrEnum

from core.states import StateTable


class BatchState(StrEnum):
    READING = "reading"
    UNREADABLE = "unreadable"
    READY = "ready"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


B = BatchState

BATCH_STATES = StateTable(
    {
        B.READING: frozenset({B.READY, B.UNREADABLE, B.CANCELLED}),
        # Read again with another column or text.
        B.UNREADABLE: frozenset({B.READING, B.CANCELLED}),
        B.READY: frozenset({B.READING, B.SCHEDULED, B.SENDING, B.CANCELLED}),
        # Paused if it may not start when due: permission lost, limit reached or due too long ago.
        B.SCHEDULED: frozenset({B.READY, B.SENDING, B.PAUSED, B.CANCELLED}),
        B.SENDING: frozenset({B.PAUSED, B.FINISHED, B.CANCELLED}),
        # The last messages may have been sent while it was being paused. Scheduled again: a hold
        # had paused it before its time.
        B.PAUSED: frozenset({B.SENDING, B.SCHEDULED, B.FINISHED, B.CANCELLED}),
        B.FINISHED: frozenset(),
        B.CANCELLED: frozenset(),
    }
)

ENDED = frozenset({B.FINISHED, B.CANCELLED})
BEGUN = frozenset({B.SENDING, B.PAUSED, B.FINISHED})
"""Messages may have been sent. For a cancelled batch, check `started_at` instead."""
CHANGING = frozenset({B.READING, B.SCHEDULED, B.SENDING, B.PAUSED})
"""States in which the batch's page keeps polling."""
