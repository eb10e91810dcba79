"""The states of a code session and of one try at its code, and which may follow which."""

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
"""A code can be checked in all of these: the customer may hold it before we know that it
went out, and a right one is the proof that it did."""

SESSION_STATES = StateTable(
    {
        S.PENDING: frozenset({S.SENT, S.SEND_UNKNOWN, S.CHECK_UNKNOWN} | ENDED),
        # Settled by a report, by a person, by a right code, or left behind by a new code.
        S.SEND_UNKNOWN: frozenset({S.SENT, S.PENDING, S.CHECK_UNKNOWN} | ENDED),
        # Back to pending: a further code is on its way and the earlier one is dead.
        S.SENT: frozenset({S.PENDING, S.CHECK_UNKNOWN} | ENDED),
        # Back to sent: a further check had a clear answer.
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
    """A code of this number that was replaced by a newer one."""
    UNKNOWN = "unknown"
    REFUSED = "refused"
    NOT_DONE = "not_done"


A = AttemptState

NOT_CHECKED = frozenset({Reason.CREDENTIALS, Reason.ACCOUNT_DISABLED, Reason.CANNOT_TAKE})
"""Why a check was refused that had nothing to do with the code: it costs the customer no try."""

UNDER_WAY = frozenset({A.QUEUED, A.CLAIMED, A.SENDING})

ATTEMPT_STATES = StateTable(
    {
        # A check that waited too long was never made.
        A.QUEUED: frozenset({A.CLAIMED, A.NOT_DONE}),
        # Claimed but not handed over: nothing can have happened, so it may go back.
        A.CLAIMED: frozenset({A.SENDING, A.QUEUED}),
        # Back to queued only where it is certain that nothing happened: a check can use up
        # a try of the provider's, or be answered "failed" after a "passed".
        A.SENDING: frozenset({A.RIGHT, A.WRONG, A.UNKNOWN, A.REFUSED, A.NOT_DONE, A.QUEUED}),
        # A loop that was given up for dead may still bring its answer.
        A.UNKNOWN: frozenset({A.RIGHT, A.WRONG}),
        A.RIGHT: frozenset(),
        A.WRONG: frozenset(),
        A.EARLIER: frozenset(),
        A.REFUSED: frozenset(),
        A.NOT_DONE: frozenset(),
    }
)
