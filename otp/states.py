"""The states of code sessions and attempts, and the allowed moves between them."""

from __future__ import annotations

from enum import StrEnum

from core.states import StateTable
from providers.gateway.vocabulary import Reason


class SessionState(StrEnum):
    PENDING = "pending"
    SEND_UNKNOWN = "send_unknown"
    SENT = "sent"
    CHECK_UNKNOWN = "check_unknown"
    VERIFIED = "verified"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


S = SessionState

ENDED = frozenset({S.VERIFIED, S.FAILED, S.EXPIRED, S.CANCELLED})
OPEN = frozenset({S.PENDING, S.SEND_UNKNOWN, S.SENT, S.CHECK_UNKNOWN})
"""A code can be checked in all of these. The customer may have it before the portal knows that it
was sent, and a correct code proves that it was."""

SESSION_STATES = StateTable(
    {
        S.PENDING: frozenset({S.SENT, S.SEND_UNKNOWN, S.CHECK_UNKNOWN} | ENDED),
        # Settled by a report, a person or a correct code, or replaced by a new code.
        S.SEND_UNKNOWN: frozenset({S.SENT, S.PENDING, S.CHECK_UNKNOWN} | ENDED),
        # Back to pending: a new code is being sent and has invalidated the earlier one.
        S.SENT: frozenset({S.PENDING, S.CHECK_UNKNOWN} | ENDED),
        # Back to sent: a later check had a clear answer.
        S.CHECK_UNKNOWN: frozenset({S.PENDING, S.SENT} | ENDED),
        S.VERIFIED: frozenset(),
        S.FAILED: frozenset(),
        S.EXPIRED: frozenset(),
        S.CANCELLED: frozenset(),
    }
)


class AttemptState(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    RIGHT = "right"
    WRONG = "wrong"
    EARLIER = "earlier"
    """The entered code was replaced by a newer one."""
    UNKNOWN = "unknown"
    REFUSED = "refused"
    NOT_DONE = "not_done"


A = AttemptState

NOT_CHECKED = frozenset({Reason.CREDENTIALS, Reason.ACCOUNT_DISABLED, Reason.CANNOT_TAKE})
"""Reasons for a refusal that say nothing about the code, so the check costs no try."""

UNDER_WAY = frozenset({A.QUEUED, A.CLAIMED, A.SENDING})

ATTEMPT_STATES = StateTable(
    {
        # To not done: the check waited too long and was never made. To unknown: a hold began, and
        # the check may have been made before.
        A.QUEUED: frozenset({A.CLAIMED, A.NOT_DONE, A.UNKNOWN}),
        # A claimed check is not in flight yet, so it may safely return to the queue.
        A.CLAIMED: frozenset({A.SENDING, A.QUEUED, A.UNKNOWN}),
        # Back to queued only if certainly nothing happened: repeating a check can use up one of
        # the provider's tries, or get "failed" after a "passed".
        A.SENDING: frozenset({A.RIGHT, A.WRONG, A.UNKNOWN, A.REFUSED, A.NOT_DONE, A.QUEUED}),
        # A loop that was presumed dead may still record its answer. It is never queued again.
        A.UNKNOWN: frozenset({A.RIGHT, A.WRONG, A.REFUSED, A.NOT_DONE}),
        A.RIGHT: frozenset(),
        A.WRONG: frozenset(),
        A.EARLIER: frozenset(),
        A.REFUSED: frozenset(),
        A.NOT_DONE: frozenset(),
    }
)
