"""Requests to cancel an order before its SMS arrives, and what the order's answers decide."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from providers import clock
from providers.approvals.rules import ApprovalNeeded
from providers.daily_limits import LimitReached
from providers.engine.wake import wake_engine
from providers.hold.holdable import held_accounts, hold_since
from providers.models import Hold

from . import place_orders
from .models import Cancel, Order
from .states import CANCEL_OPEN, CANCEL_STATES, CancelState, OrderState

S = OrderState
C = CancelState
ANOTHER_OVER_LIMIT: Final = "another_not_rented"
"""Warning: the daily limit did not allow the replacement number."""
ANOTHER_NOT_ALLOWED: Final = "another_not_allowed"
"""Warning: the person who asked for a replacement may no longer rent."""
ANOTHER_FROM_BEFORE: Final = "another_from_before"
"""Warning: the replacement was requested before a hold, and may have been rented then."""
RETRY_AFTER: Final = timedelta(minutes=1)
POLL_SOON: Final = timedelta(seconds=1)


def request_cancel(order: Order, by: User | None, *, then_rent: bool = False) -> bool:
    """Queue a cancel of an order and wake the engine.

    False: the order is no longer pending, or a cancel of it is open or unclear. `then_rent`: rent
    a replacement once the cancel is confirmed.
    """
    try:
        with transaction.atomic():
            waiting = Order.objects.select_for_update().filter(pk=order.pk, state=S.PENDING)
            # Send no second cancel while the outcome of one is unknown. Look for an open one
            # instead of relying on the unique index: the INSERT would wait there for the
            # transaction that records the answer, which waits for the order locked here.
            undecided = Cancel.objects.filter(order=order, state__in=(*CANCEL_OPEN, C.UNCLEAR))
            if waiting.first() is None or undecided.exists():
                return False
            by_id = by.pk if by else None
            Cancel.objects.create(order=order, asked_by_id=by_id, then_rent=then_rent)
            Order.objects.filter(pk=order.pk).update(changed_at=clock.now())
            wake_engine()
    except IntegrityError:
        return False
    return True


def request_due_cancels(now: datetime) -> int:
    """Queue the cancels that staff scheduled for orders without an SMS; return how many.

    If the provider refuses, the order runs to its end. If it was not reached, the portal asks
    again after a minute. An order from before a hold may have been cancelled already, so it must
    have been asked for since.
    """
    due = Order.objects.filter(state=S.PENDING, cancel_at__lte=now, sms_at=None)
    not_repeatable = Cancel.objects.filter(order=OuterRef("pk")).exclude(state=C.NOT_DONE)
    recent = Cancel.objects.filter(order=OuterRef("pk"), asked_at__gt=now - RETRY_AFTER)
    due = due.filter(~Exists(not_repeatable), ~Exists(recent))
    hold = Hold.objects.order_by("-started_at").first()
    if hold is not None:
        since = Q(created_at__gt=hold.started_at) | Q(polled_at__gt=hold.started_at)
        due = due.filter(since | ~Q(account__in=held_accounts()))
    return sum(request_cancel(order, None) for order in due[:100])


def decide_cancels(order: Order, asked_at: datetime, *, ended: bool = True) -> None:
    """Decide the cancels of an order by the order's own answer.

    - Still pending: a cancel whose answer was lost did nothing, and may be requested again.
    - Neither pending nor cancelled (the SMS was faster, or the time ran out): unclear and queued
      cancels become refused.
    - Cancelled: unclear cancels become accepted and queued ones not done. A replacement is rented
      if the latest effective request asked for one.

    `asked_at`: when the order was asked for. An answer "pending" does not decide a cancel that was
    in flight at that moment. `ended`: this answer moved the order.
    """
    cancels = Cancel.objects.filter(order=order)
    if order.state == S.PENDING:
        unclear = cancels.filter(state=C.UNCLEAR, answered_at__lte=asked_at)
        CANCEL_STATES.move(unclear, C.NOT_DONE, sources=(C.UNCLEAR,))
        return
    if order.state != S.CANCELLED:
        CANCEL_STATES.move(cancels, C.REFUSED, sources=(C.UNCLEAR,))
        CANCEL_STATES.move(cancels, C.REFUSED, sources=(C.QUEUED,), answered_at=clock.now())
        return
    latest = cancels.exclude(state__in=(C.REFUSED, C.NOT_DONE)).order_by("pk").last()
    CANCEL_STATES.move(cancels, C.ACCEPTED, sources=(C.UNCLEAR,))
    # The order is already cancelled, so queued cancels need not be sent.
    CANCEL_STATES.move(cancels, C.NOT_DONE, sources=(C.QUEUED,), answered_at=clock.now())
    if ended and latest is not None and latest.then_rent:
        _rent_another(order, latest)


def decide_unclear_cancels(now: datetime, **of_orders: object) -> int:
    """Decide unclear cancels whose order is no longer pending; return how many.

    Such an order is not polled again, so no later answer would decide them.
    """
    unclear = Cancel.objects.filter(state=C.UNCLEAR, **of_orders).exclude(order__state=S.PENDING)
    cancels = list(unclear.select_related("order"))
    for cancel in cancels:
        decide_cancels(cancel.order, now, ended=False)
    return len(cancels)


def _rent_another(order: Order, cancel: Cancel) -> None:
    """Rent one replacement, however many were requested.

    The person who asked last rents it, with the permissions and limits that they have now.
    """
    minutes = None
    if order.keep_trying_until:
        minutes = max(1, round((order.keep_trying_until - order.created_at).total_seconds() / 60))
    request = place_orders.RentRequest(
        account=order.account,
        project=order.project,
        region=order.region,
        keep_trying=minutes,
        cancel_after=order.cancel_after,
    )
    if not place_orders.may_rent(cancel.asked_by):
        Order.objects.filter(pk=order.pk).update(warnings=[*order.warnings, ANOTHER_NOT_ALLOWED])
        return
    hold = _hold_of(order, cancel)
    if hold is not None and hold.ended_at is not None:
        Order.objects.filter(pk=order.pk).update(warnings=[*order.warnings, ANOTHER_FROM_BEFORE])
        return
    try:
        with transaction.atomic():
            place_orders.place(
                request,
                by=cancel.asked_by,
                form_token=f"instead-of-{order.pk}",
                instead_of=order,
                hold=hold,
                why="",
            )
    except (LimitReached, ApprovalNeeded):
        Order.objects.filter(pk=order.pk).update(warnings=[*order.warnings, ANOTHER_OVER_LIMIT])


def _hold_of(order: Order, cancel: Cancel) -> Hold | None:
    """The hold that began since the replacement was requested: it may have been rented before."""
    hold = hold_since(cancel.asked_at)
    if hold is None or not held_accounts().filter(pk=order.account_id).exists():
        return None
    # The lock keeps the hold from ending before the order has joined it.
    return Hold.objects.select_for_update().get(pk=hold.pk)


def let_order_decide(order_id: int, now: datetime) -> None:
    """Have the order's own answer decide an unclear cancel.

    An order that has ended has given that answer already. Any other is polled soon, whatever its
    interval.
    """
    decide_unclear_cancels(now, order_id=order_id)
    waiting = Order.objects.filter(pk=order_id, next_poll_at__gt=now + POLL_SOON)
    waiting.update(next_poll_at=now + POLL_SOON)


def is_being_cancelled(order: Order) -> bool:
    return any(one.state in (*CANCEL_OPEN, C.UNCLEAR) for one in order.cancels.all())
