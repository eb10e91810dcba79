"""The states of a message, and which may follow which."""

from __future__ import annotations

from enum import StrEnum

from core.states import StateTable


class MessageState(StrEnum):
    SCHEDULED = "scheduled"
    HELD = "held"
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    SUBMITTED = "submitted"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    CANCELLED = "cancelled"


S = MessageState

REPORTS = frozenset({S.IN_TRANSIT, S.DELIVERED, S.UNDELIVERED, S.REJECTED, S.EXPIRED})

MESSAGE_STATES = StateTable(
    {
        # Whatever waits ends with a report: only what went out can be reported, so it must
        # not be sent again (messaging.apply_report).
        S.SCHEDULED: frozenset({S.QUEUED, S.CANCELLED, S.SUBMITTED}) | REPORTS,
        S.HELD: frozenset({S.QUEUED, S.CANCELLED, S.SUBMITTED}) | REPORTS,
        # A code that waited too long is of no use to anybody: not_sent, never held.
        S.QUEUED: frozenset({S.CLAIMED, S.HELD, S.CANCELLED, S.NOT_SENT, S.SUBMITTED}) | REPORTS,
        # Claimed but not handed over: nothing can have happened, so it may go back.
        S.CLAIMED: frozenset({S.SENDING, S.QUEUED, S.SUBMITTED}) | REPORTS,
        # Back to queued and to not_sent only where it is certain that nothing happened.
        # A report can come before our own call has been recorded.
        S.SENDING: frozenset({S.SUBMITTED, S.REFUSED, S.UNKNOWN, S.QUEUED, S.NOT_SENT} | REPORTS),
        S.UNKNOWN: frozenset({S.SUBMITTED, S.NOT_SENT} | REPORTS),
        S.SUBMITTED: REPORTS,
        # Reports have one total order; the highest seen stands (messaging.apply_report).
        S.IN_TRANSIT: REPORTS - {S.IN_TRANSIT},
        S.EXPIRED: frozenset({S.UNDELIVERED, S.REJECTED, S.DELIVERED}),
        S.UNDELIVERED: frozenset({S.REJECTED, S.DELIVERED}),
        S.REJECTED: frozenset({S.DELIVERED}),
        S.DELIVERED: frozenset(),
        S.REFUSED: frozenset(),
        # A report is stronger than the belief that it was not sent, even one that says no
        # more than that the provider has it.
        S.NOT_SENT: REPORTS | {S.SUBMITTED},
        S.CANCELLED: frozenset(),
    }
)

NEVER_LEFT = frozenset({S.CANCELLED, S.NOT_SENT, S.REFUSED})
"""States of a message that certainly never left."""

WAITING = frozenset({S.SCHEDULED, S.HELD, S.QUEUED, S.CLAIMED, S.SENDING})
"""States in which the page goes on looking for news of the send itself."""
