"""The states of an order, of a cancel and of a reading of a list, and which may follow which."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.states import StateTable
from providers.gateway.vocabulary import OrderState as Stated


class OrderState(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    PLACING = "placing"
    PENDING = "pending"
    RECEIVED = "received"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    EXPIRED_UNCONFIRMED = "expired_unconfirmed"
    """Its time is over, and the provider goes on saying that it waits."""
    STALE = "stale"
    """Its time is over, and the provider says nothing that is understood."""
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_CREATED = "not_created"


S = OrderState

STATED: Final = frozenset({S.PENDING, S.RECEIVED, S.COMPLETED, S.CANCELLED, S.EXPIRED})
"""What a provider says of an order that exists."""
_ENDED_SILENTLY: Final = frozenset({S.EXPIRED_UNCONFIRMED, S.STALE})

ORDER_STATES = StateTable(
    {
        # Cancelled here: it was never ordered. Refused: its time for trying is over.
        S.QUEUED: frozenset({S.CLAIMED, S.CANCELLED, S.REFUSED, S.NOT_CREATED}),
        # Claimed but not handed over: nothing can have happened, so it may go back.
        S.CLAIMED: frozenset({S.PLACING, S.QUEUED}),
        # Back to queued and to not_created only where it is certain that nothing happened,
        # or where the provider said that it has no number and staff asked to keep trying.
        S.PLACING: frozenset({S.QUEUED, S.REFUSED, S.UNKNOWN, S.NOT_CREATED} | STATED),
        S.UNKNOWN: frozenset({S.NOT_CREATED} | STATED | _ENDED_SILENTLY),
        # That an order was not made is a belief; the provider's own list is stronger.
        S.NOT_CREATED: frozenset(STATED),
        S.PENDING: frozenset({S.RECEIVED, S.COMPLETED, S.CANCELLED, S.EXPIRED} | _ENDED_SILENTLY),
        S.RECEIVED: frozenset({S.COMPLETED}),
        # An SMS that came although the order counts as ended is taken in.
        S.CANCELLED: frozenset({S.RECEIVED, S.COMPLETED}),
        S.EXPIRED: frozenset({S.RECEIVED, S.COMPLETED}),
        S.EXPIRED_UNCONFIRMED: frozenset({S.RECEIVED, S.COMPLETED, S.CANCELLED, S.EXPIRED}),
        S.STALE: frozenset({S.RECEIVED, S.COMPLETED, S.CANCELLED, S.EXPIRED}),
        S.COMPLETED: frozenset(),
        S.REFUSED: frozenset(),
    }
)

FROM_PROVIDER: Final[dict[Stated, OrderState]] = {
    Stated.PENDING: S.PENDING,
    Stated.RECEIVED: S.RECEIVED,
    Stated.COMPLETED: S.COMPLETED,
    Stated.CANCELLED: S.CANCELLED,
    Stated.EXPIRED: S.EXPIRED,
}
"""A word that is in no table of the provider's stands for no state of ours."""

SUPERSEDED: Final[dict[OrderState, frozenset[OrderState]]] = {
    S.RECEIVED: frozenset({S.PENDING}),
    S.COMPLETED: frozenset({S.PENDING, S.RECEIVED}),
    S.CANCELLED: frozenset({S.PENDING}),
    S.EXPIRED: frozenset({S.PENDING}),
}
"""What an order was before. A list that lags behind, or an answer that was under way longer,
still says so, and contradicts nothing."""
ENDED_WHILE_PENDING: Final = _ENDED_SILENTLY
"""These ended because the provider went on saying "pending", so that word contradicts nothing."""

BEING_PLACED: Final = frozenset({S.QUEUED, S.CLAIMED, S.PLACING})
OPEN: Final = frozenset({*BEING_PLACED, S.PENDING, S.UNKNOWN})
"""What staff look after now."""


class CancelState(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    ACCEPTED = "accepted"
    """The provider said yes; the order's own answer decides what became of it."""
    REFUSED = "refused"
    UNCLEAR = "unclear"
    NOT_DONE = "not_done"


C = CancelState

CANCEL_STATES = StateTable(
    {
        # Refused unasked: the SMS was faster than the queue.
        C.QUEUED: frozenset({C.CLAIMED, C.REFUSED, C.NOT_DONE}),
        C.CLAIMED: frozenset({C.SENDING, C.QUEUED}),
        C.SENDING: frozenset({C.QUEUED, C.ACCEPTED, C.REFUSED, C.UNCLEAR, C.NOT_DONE}),
        # What came of it is decided by the order's own answer, never by asking again.
        C.UNCLEAR: frozenset({C.ACCEPTED, C.REFUSED, C.NOT_DONE}),
        C.ACCEPTED: frozenset(),
        C.REFUSED: frozenset(),
        C.NOT_DONE: frozenset(),
    }
)
CANCEL_OPEN: Final = frozenset({C.QUEUED, C.CLAIMED, C.SENDING})


class ReadingState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    CLAIMED = "claimed", _("Reading")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


R = ReadingState

READING_STATES = StateTable(
    {
        # Failed unread: it waited so long that nobody looks for its answer any more.
        R.QUEUED: frozenset({R.CLAIMED, R.FAILED}),
        # Back to queued for the next page, for another try, or because its loop is gone: reading
        # costs nothing, so it may be repeated.
        R.CLAIMED: frozenset({R.QUEUED, R.DONE, R.FAILED}),
        R.DONE: frozenset(),
        R.FAILED: frozenset(),
    }
)
