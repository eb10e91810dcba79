"""The next step after a fault of an order, as a button that the reader may press."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.admin.buttons import Button
from providers.error_texts import ACCOUNT_STEPS
from providers.gateway.vocabulary import Reason
from providers.pause_facts import may_fix_accounts, pause_fact

from ..models import Order
from ..place_orders import NO_NUMBER_IN_TIME
from ..states import OrderState

S = OrderState
LEAVE_NOTE = Button(_("Leave a note for a colleague"), "#notes", "edit_note")
FAULTS = frozenset({S.REFUSED, S.NOT_CREATED, S.UNKNOWN, S.EXPIRED, S.EXPIRED_UNCONFIRMED})
NO_NUMBER = frozenset({Reason.NO_NUMBER_AVAILABLE, NO_NUMBER_IN_TIME})


def next_steps(order: Order, reader: User | AnonymousUser) -> list[Button]:
    """Whoever can do nothing about the fault leaves a note for somebody who can."""
    waits = order.state == S.QUEUED and order.account.is_paused
    if order.state not in FAULTS and not waits:
        return []
    found = list(_steps(order, reader))
    settles = order.state == S.UNKNOWN and reader.has_perm("rentals.resolve_order")
    return found or ([] if settles else [LEAVE_NOTE])


def _steps(order: Order, reader: User | AnonymousUser) -> Iterator[Button]:
    rents = reader.has_perm("rentals.rent_order")
    if _is_about_account(order):
        if may_fix_accounts(reader):
            url = reverse("admin:providers_account_change", args=[order.account.public_id])
            yield Button(_("Open the account"), url, "account_balance_wallet")
    elif order.state in (S.REFUSED, S.NOT_CREATED) and rents:
        if order.reason in NO_NUMBER:
            yield Button(_("Choose another app or country"), _rent_url(order), "add_call")
        else:
            pair = {"project": order.project, "region": order.region}
            yield Button(_("Rent again"), _rent_url(order, **pair), "add_call")
    elif order.state in (S.EXPIRED, S.EXPIRED_UNCONFIRMED):
        if rents:
            pair = {"project": order.project, "region": order.region}
            yield Button(_("Rent another number"), _rent_url(order, **pair), "add_call")
        if order.provider_id and reader.has_perm("rentals.view_transaction"):
            query = urlencode({"q": order.provider_id})
            url = f"{reverse('admin:rentals_transaction_changelist')}?{query}"
            yield Button(_("Check the refund"), url, "receipt_long")


def _is_about_account(order: Order) -> bool:
    if order.state == S.QUEUED:
        return order.account.is_paused
    if order.reason not in ACCOUNT_STEPS or order.state == S.UNKNOWN:
        return False
    pause = pause_fact(order.account, order.reason, order.answered_at or order.ended_at)
    return pause is None or not pause.is_over


def _rent_url(order: Order, **pair: str) -> str:
    query = urlencode({"account": order.account.public_id, **pair})
    return f"{reverse('admin:rentals_order_rent')}?{query}"
