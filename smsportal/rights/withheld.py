"""What the reader of a page may not do there, for lack of which right, and who can grant it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import Permission
from django.db.models import Model, Q
from django.http import HttpRequest

from core.admin.object_panels import ObjectPanel
from core.page_memory import remember
from core.people import person_name
from core.punctuation import listed
from messaging.batches.states import BatchState
from messaging.models import Batch, Message
from messaging.states import MessageState
from otp.models import Session
from otp.states import OPEN
from rentals.models import Order
from rentals.states import OrderState

from .delegation import grantors
from .roles import permission_label

TEMPLATE: Final = "portal/withheld.html"
PEOPLE_NAMED: Final = 3
Condition = Callable[[Any], bool]


def _always(_obj: Any) -> bool:
    return True


def _is_unknown(obj: Any) -> bool:
    return bool(obj.state == MessageState.UNKNOWN)


def _may_be_cancelled(message: Any) -> bool:
    return message.state in (MessageState.QUEUED, MessageState.HELD, MessageState.SCHEDULED)


def _is_open(session: Any) -> bool:
    return session.state in OPEN


def _is_waiting(order: Any) -> bool:
    return order.state in (OrderState.QUEUED, OrderState.PENDING)


def _is_running(batch: Any) -> bool:
    return batch.state not in (BatchState.FINISHED, BatchState.CANCELLED)


ACTIONS: Final[Mapping[type[Model], Mapping[str, Condition]]] = {
    Message: {
        "messaging.resolve_message": _is_unknown,
        "messaging.cancel_message": _may_be_cancelled,
        "messaging.send_message": _always,
        "messaging.reveal_message": _always,
    },
    Session: {
        "otp.check_code": _is_open,
        "otp.cancel_code": _is_open,
        "otp.send_code": _always,
        "messaging.reveal_message": _always,
    },
    Order: {
        "rentals.resolve_order": _is_unknown,
        "rentals.cancel_order": _is_waiting,
        "rentals.rent_order": _always,
        "rentals.reveal_order": _always,
    },
    Batch: {"messaging.bulk_message": _is_running},
}
"""By the kind of object: the permissions of what its page offers, and while it does so."""


@dataclass(frozen=True, slots=True)
class WithheldAction:
    label: str
    people: str
    """Up to three who can grant the permission; empty if only administrators can."""


def panel_for(request: HttpRequest, obj: Model) -> ObjectPanel | None:
    offered = next((rights for kind, rights in ACTIONS.items() if isinstance(obj, kind)), {})
    lacking = [
        name
        for name, is_offered in offered.items()
        if not request.user.has_perm(name) and is_offered(obj)
    ]
    if not lacking:
        return None
    key = "withheld " + " ".join(lacking)
    return ObjectPanel(TEMPLATE, {"actions": remember(key, request, lambda: _explain(lacking))})


def _explain(names: list[str]) -> list[WithheldAction]:
    wanted = Q(pk__in=[])
    for name in names:
        label, _, codename = name.partition(".")
        wanted |= Q(content_type__app_label=label, codename=codename)
    found = Permission.objects.filter(wanted).select_related("content_type")
    labels = {
        f"{one.content_type.app_label}.{one.codename}": permission_label(one) for one in found
    }
    return [
        WithheldAction(
            labels[name],
            listed(person_name(person) for person in grantors(name)[:PEOPLE_NAMED]),
        )
        for name in names
        if name in labels
    ]
