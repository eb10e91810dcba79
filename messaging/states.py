"""The states of a message and the moves between them."""

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
        # A report moves even a pending message: only a message that was sent can be reported,
        # so it must not be sent again (messaging.apply_report).
        # To unknown, while it waits, only from before a hold: it may have been sent since
        # (messaging.on_hold, messaging.released).
        S.SCHEDULED: frozenset({S.QUEUED, S.HELD, S.CANCELLED, S.SUBMITTED, S.UNKNOWN}) | REPORTS,
        S.HELD: frozenset({S.QUEUED, S.CANCELLED, S.SUBMITTED, S.UNKNOWN}) | REPORTS,
        # A stale code is useless, so it becomes not_sent and is never held.
        S.QUEUED: frozenset(
            {S.CLAIMED, S.HELD, S.CANCELLED, S.NOT_SENT, S.SUBMITTED, S.UNKNOWN} | REPORTS
        ),
        # A claimed message is not in flight yet, so its claim can be released, or it is put on
        # hold.
        S.CLAIMED: frozenset({S.SENDING, S.QUEUED, S.HELD, S.SUBMITTED}) | REPORTS,
        # Only a call that certainly did nothing moves to queued or not_sent.
        # A report can arrive before our own call is recorded.
        S.SENDING: frozenset({S.SUBMITTED, S.REFUSED, S.UNKNOWN, S.QUEUED, S.NOT_SENT} | REPORTS),
        # Refused: the answer came after the call had been given up. It is never queued again.
        S.UNKNOWN: frozenset({S.SUBMITTED, S.NOT_SENT, S.REFUSED} | REPORTS),
        S.SUBMITTED: REPORTS,
        # Reports have a total order; the strongest one applies (messaging.apply_report).
        S.IN_TRANSIT: REPORTS - {S.IN_TRANSIT},
        S.EXPIRED: frozenset({S.UNDELIVERED, S.REJECTED, S.DELIVERED}),
        S.UNDELIVERED: frozenset({S.REJECTED, S.DELIVERED}),
        S.REJECTED: frozenset({S.DELIVERED}),
        S.DELIVERED: frozenset(),
        S.REFUSED: frozenset(),
        # A report overrules the belief that the message was not sent, even a report that
        # only says that the provider has it.
        S.NOT_SENT: REPORTS | {S.SUBMITTED},
        S.CANCELLED: frozenset(),
    }
)

NEVER_LEFT = frozenset({S.CANCELLED, S.NOT_SENT, S.REFUSED})
"""States of a message that certainly never left."""

WAITING = frozenset({S.SCHEDULED, S.HELD, S.QUEUED, S.CLAIMED, S.SENDING})
"""States in which the page keeps polling for the result of the send itself."""
