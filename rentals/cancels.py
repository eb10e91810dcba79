"""Ending an order before its SMS comes: who asks for it, and what follows from the answer."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from providers.daily_limits import LimitReached
from providers.engine.kick import kick_if_idle

from .models import Cancel, Order
from .states import CANCEL_OPEN, CANCEL_STATES, CancelState, OrderState

S = OrderState
C = CancelState
NO_OTHER: Final = "another_not_rented"
"""Warning: the daily limit did not allow the other number that was asked for."""


def ask(order: Order, by: User | None, *, then_rent: bool = False) -> bool:
    """Ask for an order to be cancelled. False: it waits no more, or somebody asked already."""
    try:
        with transaction.atomic():
            waiting = Order.objects.select_for_update().filter(pk=order.pk, state=S.PENDING)
            if waiting.first() is None:
                return False
            by_id = by.pk if by else None
            Cancel.objects.create(order=order, asked_by_id=by_id, then_rent=then_rent)
            Order.objects.filter(pk=order.pk).update(changed_at=timezone.now())
            kick_if_idle()
    except IntegrityError:
        return False
    return True


def ask_for_those_without_sms(now: datetime) -> int:
    """Orders that staff wanted cancelled after so many minutes without an SMS."""
    due = Order.objects.filter(state=S.PENDING, cancel_at__lte=now, sms_at=None)
    # Once: where the provider refuses, the order runs to its end.
    return sum(ask(order, None) for order in due.filter(cancels=None)[:100])


def follow(order: Order, now: datetime) -> None:
    """The order's own answer has decided: cancelled, or the SMS was faster, or it waits as
    before: then a cancel whose answer was lost did nothing, and may be asked for again."""
    if order.state == S.PENDING:
        unclear = Cancel.objects.filter(order=order, state=C.UNCLEAR)
        CANCEL_STATES.move(unclear, C.NOT_DONE, sources=(C.UNCLEAR,))
        return
    cancelled = order.state == S.CANCELLED
    asked = list(Cancel.objects.filter(order=order))
    ids = [one.pk for one in asked]
    if not ids:
        return
    outcome = C.ACCEPTED if cancelled else C.REFUSED
    CANCEL_STATES.move(Cancel.objects.filter(pk__in=ids), outcome, sources=(C.UNCLEAR,))
    if not cancelled:
        waiting = Cancel.objects.filter(pk__in=ids)
        CANCEL_STATES.move(waiting, C.REFUSED, sources=(C.QUEUED,), answered_at=now)
        return
    for one in asked:
        if one.then_rent:
            _rent_another(order, one)


def _rent_another(order: Order, cancel: Cancel) -> None:
    from . import orders

    minutes = None
    if order.keep_trying_until:
        minutes = max(1, round((order.keep_trying_until - order.created_at).total_seconds() / 60))
    wish = orders.Wish(
        account=order.account,
        project=order.project,
        region=order.region,
        keep_trying=minutes,
        cancel_after=order.cancel_after,
    )
    try:
        with transaction.atomic():
            orders.place(
                wish, by=cancel.asked_by, form_token=f"cancel-{cancel.pk}", instead_of=order
            )
    except LimitReached:
        Order.objects.filter(pk=order.pk).update(warnings=[*order.warnings, NO_OTHER])


def is_being_cancelled(order: Order) -> bool:
    return any(one.state in (*CANCEL_OPEN, C.UNCLEAR) for one in order.cancels.all())
