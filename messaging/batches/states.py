"""The states of a batch, and which may follow which."""

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
        # Read anew with another column, another text.
        B.UNREADABLE: frozenset({B.READING, B.CANCELLED}),
        B.READY: frozenset({B.READING, B.SCHEDULED, B.SENDING, B.CANCELLED}),
        # Paused where at its time it may not start: no permission any more, a limit reached.
        B.SCHEDULED: frozenset({B.READY, B.SENDING, B.PAUSED, B.CANCELLED}),
        B.SENDING: frozenset({B.PAUSED, B.FINISHED, B.CANCELLED}),
        # The last messages may have left while somebody paused it.
        B.PAUSED: frozenset({B.SENDING, B.FINISHED, B.CANCELLED}),
        B.FINISHED: frozenset(),
        B.CANCELLED: frozenset(),
    }
)

BEGUN = frozenset({B.SENDING, B.PAUSED, B.FINISHED})
"""Messages may have gone out. A cancelled batch tells by when it was started."""
CHANGING = frozenset({B.READING, B.SCHEDULED, B.SENDING, B.PAUSED})
"""States in which its page goes on looking for news."""
