"""States of orders, cancels and list readings, and the moves between them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.db import models
from django.utils.translation import pgettext_lazy

from core.states import StateTable
from providers.gateway.vocabulary import OrderState as Stated


class OrderState(StrEnum):
    HELD = "held"
    """From before a hold: placed only when a person has released it."""
    AWAITING_APPROVAL = "awaiting_approval"
    """Beyond the limit of the person who ordered: a second person must agree."""
    QUEUED = "queued"
    CLAIMED = "claimed"
    PLACING = "placing"
    PENDING = "pending"
    RECEIVED = "received"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    EXPIRED_UNCONFIRMED = "expired_unconfirmed"
    """The order's time has passed, and the provider still states that it is pending."""
    STALE = "stale"
    """The order's time has passed, and the provider states nothing that is understood."""
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_CREATED = "not_created"
    REJECTED = "rejected"
    """The second person did not agree."""


S = OrderState

STATED: Final = frozenset({S.PENDING, S.RECEIVED, S.COMPLETED, S.CANCELLED, S.EXPIRED})
"""States that a provider states of an existing order."""
_ENDED_SILENTLY: Final = frozenset({S.EXPIRED_UNCONFIRMED, S.STALE})

ORDER_STATES = StateTable(
    {
        # It may have been placed by a newer database, so the provider's own list may settle it.
        S.HELD: frozenset({S.QUEUED, S.CANCELLED, S.UNKNOWN} | STATED),
        # Held: it may have been approved and placed by a newer database. Not created: nobody
        # decided in time.
        S.AWAITING_APPROVAL: frozenset({S.QUEUED, S.REJECTED, S.HELD, S.CANCELLED, S.NOT_CREATED}),
        # Cancelled: withdrawn before it was placed. Refused: its time for trying has ended.
        # Unknown: it was released from a hold and is no longer placed, but may have been before.
        S.QUEUED: frozenset({S.CLAIMED, S.HELD, S.CANCELLED, S.REFUSED, S.NOT_CREATED, S.UNKNOWN}),
        # Claimed but not in flight: nothing can have happened, so it may be released.
        S.CLAIMED: frozenset({S.PLACING, S.QUEUED, S.HELD}),
        # To queued or not_created only if it is certain that nothing happened, or if the
        # provider had no number and staff asked to keep trying.
        S.PLACING: frozenset({S.QUEUED, S.REFUSED, S.UNKNOWN, S.NOT_CREATED} | STATED),
        # Refused: the answer came after the call had been given up. It is never queued again.
        S.UNKNOWN: frozenset({S.NOT_CREATED, S.REFUSED} | STATED | _ENDED_SILENTLY),
        # not_created is a belief; the provider's own list overrides it.
        S.NOT_CREATED: frozenset(STATED),
        S.PENDING: frozenset({S.RECEIVED, S.COMPLETED, S.CANCELLED, S.EXPIRED} | _ENDED_SILENTLY),
        S.RECEIVED: frozenset({S.COMPLETED}),
        # An SMS that arrives after the end is still accepted.
        S.CANCELLED: frozenset({S.RECEIVED, S.COMPLETED}),
        S.EXPIRED: frozenset({S.RECEIVED, S.COMPLETED}),
        S.EXPIRED_UNCONFIRMED: frozenset({S.RECEIVED, S.COMPLETED, S.CANCELLED, S.EXPIRED}),
        S.STALE: frozenset({S.RECEIVED, S.COMPLETED, S.CANCELLED, S.EXPIRED}),
        S.COMPLETED: frozenset(),
        S.REFUSED: frozenset(),
        S.REJECTED: frozenset(),
    }
)

FROM_PROVIDER: Final[dict[Stated, OrderState]] = {
    Stated.PENDING: S.PENDING,
    Stated.RECEIVED: S.RECEIVED,
    Stated.COMPLETED: S.COMPLETED,
    Stated.CANCELLED: S.CANCELLED,
    Stated.EXPIRED: S.EXPIRED,
}
"""An unrecognised state of the provider maps to none of ours."""

SUPERSEDED: Final[dict[OrderState, frozenset[OrderState]]] = {
    S.RECEIVED: frozenset({S.PENDING}),
    S.COMPLETED: frozenset({S.PENDING, S.RECEIVED}),
    S.CANCELLED: frozenset({S.PENDING}),
    S.EXPIRED: frozenset({S.PENDING}),
}
"""Earlier states. A list that lags behind, or a delayed answer, may still state one; that is no
conflict."""
ENDED_WHILE_PENDING: Final = _ENDED_SILENTLY
"""Orders that ended while the provider still stated "pending", so that state is no conflict."""

BEING_PLACED: Final = frozenset({S.QUEUED, S.CLAIMED, S.PLACING})
OPEN: Final = frozenset({S.HELD, S.AWAITING_APPROVAL, *BEING_PLACED, S.PENDING, S.UNKNOWN})
"""States in which staff still have to follow the order."""


class CancelState(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    ACCEPTED = "accepted"
    """The provider accepted the cancel; the order's own answer decides the outcome."""
    REFUSED = "refused"
    UNCLEAR = "unclear"
    NOT_DONE = "not_done"


C = CancelState

CANCEL_STATES = StateTable(
    {
        # Refused without a call: the SMS was faster than the queue. Unclear: a hold began, and the
        # cancel may have been sent before.
        C.QUEUED: frozenset({C.CLAIMED, C.REFUSED, C.NOT_DONE, C.UNCLEAR}),
        C.CLAIMED: frozenset({C.SENDING, C.QUEUED, C.UNCLEAR}),
        C.SENDING: frozenset({C.QUEUED, C.ACCEPTED, C.REFUSED, C.UNCLEAR, C.NOT_DONE}),
        # The order's own answer decides the outcome; the call is never repeated.
        C.UNCLEAR: frozenset({C.ACCEPTED, C.REFUSED, C.NOT_DONE}),
        C.ACCEPTED: frozenset(),
        C.REFUSED: frozenset(),
        C.NOT_DONE: frozenset(),
    }
)
CANCEL_OPEN: Final = frozenset({C.QUEUED, C.CLAIMED, C.SENDING})


class ReadingState(models.TextChoices):
    QUEUED = "queued", pgettext_lazy("reading", "Waiting")
    CLAIMED = "claimed", pgettext_lazy("reading", "Reading")
    DONE = "done", pgettext_lazy("reading", "Done")
    FAILED = "failed", pgettext_lazy("reading", "Failed")


R = ReadingState

READING_STATES = StateTable(
    {
        # Failed without a call: it waited so long that its answer is not needed.
        R.QUEUED: frozenset({R.CLAIMED, R.FAILED}),
        # Back to queued for the next page, for another try, or because its loop died: reading
        # is free, so it may be repeated.
        R.CLAIMED: frozenset({R.QUEUED, R.DONE, R.FAILED}),
        R.DONE: frozenset(),
        R.FAILED: frozenset(),
    }
)
