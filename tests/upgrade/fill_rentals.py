"""Orders in every state, and the provider's transactions for them."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.utils import timezone

from providers.models import (
    Account,
)
from rentals.models import Cancel, Finding, FoundOrder, Order, Reading, Transaction, Watch
from rentals.states import CancelState, OrderState
from tests.factories.messages import CODE
from tests.factories.orders import make_rented
from tests.upgrade.copies import IN_FLIGHT, copy_of, in_state

_serial = count(1)


def fill_orders(account: Account, by: User, other: User) -> None:
    first = make_rented(account, by=by, state="completed", code=CODE, content=f"Code {CODE}")
    for state in OrderState:
        fields: dict[str, Any] = {"state": state, "provider_id": "", "code": "", "content": ""}
        if state not in ("queued", "refused", "unknown", "not_created", *IN_FLIGHT):
            fields["provider_id"] = f"made{next(_serial)}"
        if state in ("received", "completed"):
            fields |= {"code": CODE, "content": f"Code {CODE}", "sms_at": timezone.now()}
        if state in IN_FLIGHT:
            # No other order has this app, so that a test can recognise its call.
            app = "telegram" if state == OrderState.PLACING else first.project
            fields |= {"project": app, "phone": "", "placed_at": None}
        in_state(copy_of(first, **fields), state)
    reassign(first, by, other)
    differing = [{"field": "price", "at": timezone.now().isoformat(), "value": "0.70"}]
    again = {"differing": differing, "conflict": True, "differing_texts": "[]"}
    replaced = copy_of(first, provider_id="made0", instead_of=first, **again)
    replaced.save()
    for cancel_state in CancelState:
        order = copy_of(first, state="pending", provider_id=f"made{next(_serial)}", code="")
        order.save()
        cancel = Cancel(order=order, asked_by=by, refund=Decimal("0.5"))
        in_state(cancel, cancel_state)
    found = {"account": account, "project": "whatsapp", "region": "ID", "stated": "received"}
    FoundOrder.objects.create(provider_id="found1", code=CODE, phone="+6281234567891", **found)
    taken = copy_of(first, provider_id="found2", imported=True)
    taken.save()
    FoundOrder.objects.create(provider_id="found2", order=taken, **found)


def reassign(order: Order, by: User, other: User) -> None:
    order.held_by = other
    order.save()
    LogEntry.objects.log_actions(
        user_id=by.pk, queryset=[order], action_flag=CHANGE, change_message=f"Handed to {other}"
    )


def fill_money(account: Account, by: User) -> None:
    order = Order.objects.filter(account=account).exclude(provider_id="").earliest("pk")
    for type_ in ("Deposit", "Hold", "Release", "Refund", "Something new"):
        Transaction.objects.create(
            account=account,
            provider_id=f"t{next(_serial)}",
            type=type_,
            amount=Decimal("0.5"),
            balance_after=Decimal("9.5"),
            order_provider_id=order.provider_id,
            created_there=timezone.now(),
        )
    about = {"account": account, "about": order.provider_id, "order": order}
    explained = {"explained_by": by, "explained_at": timezone.now(), "explained_because": "late"}
    for kind in Finding.Kind:
        Finding.objects.create(kind=kind, **about, ours={"state": "pending"}, **explained)
        Finding.objects.create(kind=kind, account=account, about="nobody")
    for kind_, state in zip(Reading.Kind, ("queued", "claimed"), strict=True):
        in_state(Reading(account=account, kind=kind_, asked_by=by), state)
        for ended in ("done", "failed"):
            in_state(Reading(account=account, kind=kind_, pages=2, total=3), ended)
    Watch.objects.get_or_create(account=account, defaults={"by_list": True})
