"""Labels of order states.

Shown states may be derived, in one place, so that filters, exports and pages agree.
"""

from __future__ import annotations

from typing import Final

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.labels import Role, StateLabel, register_states
from core.fixed_moment import fixed_or
from providers import clock

from ..models import Finding, Order
from ..states import OrderState

S = OrderState

WITHDRAWN: Final = "withdrawn"

LABELS: Final = {
    S.HELD: StateLabel(
        _("On hold"),
        Role.WARNING,
        "front_hand",
        _("It was waiting when a hold began and may have been ordered earlier. A manager decides."),
    ),
    S.AWAITING_APPROVAL: StateLabel(
        _("Waiting for approval"),
        Role.WARNING,
        "approval",
        _("A second person must agree. Nothing was ordered yet."),
    ),
    S.QUEUED: StateLabel(
        pgettext_lazy("state", "Waiting"), Role.INFO, "schedule", _("Not ordered yet.")
    ),
    S.CLAIMED: StateLabel(
        pgettext_lazy("state", "Waiting"), Role.INFO, "schedule", _("Not ordered yet.")
    ),
    S.PLACING: StateLabel(
        pgettext_lazy("state", "Ordering"), Role.INFO, "sync", _("The order is being placed.")
    ),
    S.PENDING: StateLabel(
        _("Waiting for SMS"), Role.INFO, "hourglass_top", _("Number rented; no SMS yet.")
    ),
    S.RECEIVED: StateLabel(
        _("SMS received"), Role.SUCCESS, "mark_chat_read", _("The SMS has arrived.")
    ),
    S.COMPLETED: StateLabel(
        pgettext_lazy("state", "Completed"),
        Role.SUCCESS,
        "task_alt",
        _("The provider closed the order."),
    ),
    S.CANCELLED: StateLabel(
        pgettext_lazy("state", "Cancelled"), Role.NEUTRAL, "cancel", _("Cancelled at the provider.")
    ),
    WITHDRAWN: StateLabel(
        _("Cancelled before ordering"), Role.NEUTRAL, "cancel", _("It was never ordered.")
    ),
    S.EXPIRED: StateLabel(
        pgettext_lazy("order", "Expired"), Role.NEUTRAL, "timer_off", _("Expired without an SMS.")
    ),
    S.EXPIRED_UNCONFIRMED: StateLabel(
        _("Expired, not confirmed"),
        Role.WARNING,
        "hourglass_disabled",
        _("The order has expired, but the provider has not closed it."),
    ),
    S.STALE: StateLabel(
        _("Expired, state unknown"),
        Role.WARNING,
        "hourglass_disabled",
        _("The order has expired; the provider never reported how it ended."),
    ),
    S.REFUSED: StateLabel(
        pgettext_lazy("state", "Refused"), Role.DANGER, "block", _("No number was rented.")
    ),
    S.REJECTED: StateLabel(
        pgettext_lazy("approval", "Rejected"),
        Role.DANGER,
        "block",
        _("A second person did not agree. Nothing was ordered."),
    ),
    S.UNKNOWN: StateLabel(
        _("Outcome unknown"),
        Role.WARNING,
        "help",
        _("A number may have been rented. Checking with the provider."),
    ),
    S.NOT_CREATED: StateLabel(
        _("Not ordered"), Role.NEUTRAL, "person_off", _("No number was rented.")
    ),
}
FINDING_HELPS: Final = {
    Finding.Kind.REFUND_MISSING: _(
        "The order ended without an SMS, but the provider has not paid the price back."
        " Ask the provider for it, or explain the finding."
    ),
    Finding.Kind.HOLD_WITHOUT_ORDER: _(
        "The provider reserved money for an order that the portal does not have. It may have been"
        " rented elsewhere with the same API key."
    ),
    Finding.Kind.ORDER_WITHOUT_HOLD: _(
        "The portal has this order, but the provider lists no reserved money for it."
        " It may be booked late."
    ),
    Finding.Kind.PRICE_DIFFERS: _(
        "The provider reserved another amount than the price that it gave for the order."
    ),
    Finding.Kind.UNKNOWN_TYPE: _(
        "The provider lists transactions of a type that the portal does not know."
        " They are shown as the provider sent them."
    ),
    Finding.Kind.DOUBLED_ID: _(
        "The provider lists several transactions under one ID. They are shown side by side."
    ),
}
FINDINGS: Final = {
    kind: StateLabel(kind.label, Role.WARNING, "rule", FINDING_HELPS[kind]) for kind in Finding.Kind
}


def register() -> None:
    register_states("order", {str(value): label for value, label in LABELS.items()})
    register_states("finding", {str(value): label for value, label in FINDINGS.items()})


def shown_state(order: Order) -> str:
    """The state that this order is labelled with."""
    if order.state == S.PENDING and order.expires_at and clock.now() > order.expires_at:
        return S.EXPIRED_UNCONFIRMED
    if order.state == S.CANCELLED and not order.provider_id:
        return WITHDRAWN
    return order.state


def where_shown(shown: str) -> Q:
    """Condition for the rows that are labelled as `shown`."""
    now = fixed_or(clock.now())
    over = Q(state=S.PENDING, expires_at__lte=now)
    match shown:
        case "pending":
            return Q(state=S.PENDING) & ~Q(expires_at__lte=now)
        case "expired_unconfirmed":
            return Q(state=S.EXPIRED_UNCONFIRMED) | over
        case "cancelled":
            return Q(state=S.CANCELLED) & ~Q(provider_id="")
        case "withdrawn":
            return Q(state=S.CANCELLED, provider_id="")
        case "queued":
            return Q(state__in=(S.QUEUED, S.CLAIMED))
        case _:
            return Q(state=shown)


def shown_parts(shown: str) -> list[Q]:
    """`where_shown` as disjoint conditions, each of which an index serves."""
    match shown:
        case "expired_unconfirmed":
            over = Q(state=S.PENDING, expires_at__lte=fixed_or(clock.now()))
            return [Q(state=S.EXPIRED_UNCONFIRMED), over]
        case "queued":
            return [Q(state=S.QUEUED), Q(state=S.CLAIMED)]
        case _:
            return [where_shown(shown)]
