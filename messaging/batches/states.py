"""The states of a batch and the allowed moves between them."""

from __future__ import annotations

from enum import StrEnum

from core.states import StateTable


class BatchState(StrEnum):
    READING = "reading"
    UNREADABLE = "unreadable"
    READY = "ready"
    AWAITING_APPROVAL = "awaiting_approval"
    """Beyond the limit of the person who wants to start it: a second person must agree."""
    REJECTED = "rejected"
    """The second person did not agree. It can be changed and asked for again."""
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
        B.READY: frozenset({B.READING, B.SCHEDULED, B.SENDING, B.AWAITING_APPROVAL, B.CANCELLED}),
        # Ready: approved, withdrawn or lapsed. It starts by a move of its own.
        B.AWAITING_APPROVAL: frozenset({B.READY, B.REJECTED, B.CANCELLED}),
        # Read again with another text or column.
        B.REJECTED: frozenset({B.READING, B.CANCELLED}),
        # Paused if it may not start when due: permission lost, limit reached or due too long ago.
        B.SCHEDULED: frozenset({B.READY, B.SENDING, B.PAUSED, B.CANCELLED}),
        B.SENDING: frozenset({B.PAUSED, B.FINISHED, B.CANCELLED}),
        # The last messages may have been sent while it was being paused. Scheduled again: a hold
        # had paused it before its time. To approval: paused before its start, and beyond a limit.
        B.PAUSED: frozenset({B.SENDING, B.SCHEDULED, B.AWAITING_APPROVAL, B.FINISHED, B.CANCELLED}),
        B.FINISHED: frozenset(),
        B.CANCELLED: frozenset(),
    }
)

ENDED = frozenset({B.FINISHED, B.CANCELLED})
BEGUN = frozenset({B.SENDING, B.PAUSED, B.FINISHED})
"""Messages may have been sent. For a cancelled batch, check `started_at` instead."""
DROPPABLE = frozenset(
    {B.READING, B.UNREADABLE, B.READY, B.AWAITING_APPROVAL, B.REJECTED, B.SCHEDULED}
)
"""States before a start, from which staff discard a batch."""
CHANGING = frozenset({B.READING, B.AWAITING_APPROVAL, B.SCHEDULED, B.SENDING, B.PAUSED})
"""States in which the batch's page keeps polling."""
