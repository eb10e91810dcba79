"""Ending an order before its SMS comes: who asks for it, and what follows from the answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from providers.daily_limits import LimitReached
from providers.engine.wake import wake_engine

from . import place_orders
from .models import Cancel, Order
from .states import CANCEL_OPEN, CANCEL_STATES, CancelState, OrderState

S = OrderState
C = CancelState
NO_OTHER: Final = "another_not_rented"
"""Warning: the daily limit did not allow the other number that was asked for."""
NOT_ALLOWED: Final = "another_not_allowed"
"""Warning: whoever asked for another number may not rent any more."""
AGAIN_AFTER: Final = timedelta(minutes=1)


def ask(order: Order, by: User | None, *, then_rent: bool = False) -> bool:
    """Ask for an order to be cancelled. False: it waits no more, or somebody asked already."""
    try:
        with transaction.atomic():
            waiting = Order.objects.select_for_update().filter(pk=order.pk, state=S.PENDING)
            # While it is not known what came of an earlier one, no other is sent. One that is
            # under way is looked for, and not left to the unique index alone: an INSERT waits
            # there for whoever writes its answer down, and they wait for the order, locked here.
            earlier = Cancel.objects.filter(order=order, state__in=(*CANCEL_OPEN, C.UNCLEAR))
            if waiting.first() is None or earlier.exists():
                return False
            by_id = by.pk if by else None
            Cancel.objects.create(order=order, asked_by_id=by_id, then_rent=then_rent)
            Order.objects.filter(pk=order.pk).update(changed_at=timezone.now())
            wake_engine()
    except IntegrityError:
        return False
    return True


def ask_for_those_without_sms(now: datetime) -> int:
    """Orders that staff wanted cancelled after so many minutes without an SMS. Where the
    provider refuses, the order runs to its end; where it was not reached, it is asked again."""
    due = Order.objects.filter(state=S.PENDING, cancel_at__lte=now, sms_at=None)
    decided = Cancel.objects.filter(order=OuterRef("pk")).exclude(state=C.NOT_DONE)
    lately = Cancel.objects.filter(order=OuterRef("pk"), asked_at__gt=now - AGAIN_AFTER)
    due = due.filter(~Exists(decided), ~Exists(lately))
    return sum(ask(order, None) for order in due[:100])


def follow(order: Order, asked_at: datetime, *, ended: bool = True) -> None:
    """The order's own answer has decided: cancelled, or the SMS was faster, or it waits as
    before: then a cancel whose answer was lost did nothing, and may be asked for again.

    `asked_at`: when the order was asked for; a cancel that was under way then is not decided
    by an answer that says that it waits. `ended`: this answer has moved the order.
    """
    asked = Cancel.objects.filter(order=order)
    if order.state == S.PENDING:
        unclear = asked.filter(state=C.UNCLEAR, answered_at__lte=asked_at)
        CANCEL_STATES.move(unclear, C.NOT_DONE, sources=(C.UNCLEAR,))
        return
    if order.state != S.CANCELLED:
        CANCEL_STATES.move(asked, C.REFUSED, sources=(C.UNCLEAR,))
        CANCEL_STATES.move(asked, C.REFUSED, sources=(C.QUEUED,), answered_at=timezone.now())
        return
    wish = asked.exclude(state__in=(C.REFUSED, C.NOT_DONE)).order_by("pk").last()
    CANCEL_STATES.move(asked, C.ACCEPTED, sources=(C.UNCLEAR,))
    # It is cancelled already: nothing is left to be asked for.
    CANCEL_STATES.move(asked, C.NOT_DONE, sources=(C.QUEUED,), answered_at=timezone.now())
    if ended and wish is not None and wish.then_rent:
        _rent_another(order, wish)


def settle_decided(now: datetime, **of_orders: object) -> int:
    """Decide unclear cancels whose order has ended meanwhile; return how many there were.

    Nothing asks for such an order again, so no later answer would decide them.
    """
    unclear = Cancel.objects.filter(state=C.UNCLEAR, **of_orders).exclude(order__state=S.PENDING)
    decided = list(unclear.select_related("order"))
    for cancel in decided:
        follow(cancel.order, now, ended=False)
    return len(decided)


def _rent_another(order: Order, cancel: Cancel) -> None:
    """One, however often it was asked for, and by whoever asked last: with their rights and
    limits of now."""
    minutes = None
    if order.keep_trying_until:
        minutes = max(1, round((order.keep_trying_until - order.created_at).total_seconds() / 60))
    wish = place_orders.Wish(
        account=order.account,
        project=order.project,
        region=order.region,
        keep_trying=minutes,
        cancel_after=order.cancel_after,
    )
    if not place_orders.may_rent(cancel.asked_by):
        Order.objects.filter(pk=order.pk).update(warnings=[*order.warnings, NOT_ALLOWED])
        return
    try:
        with transaction.atomic():
            place_orders.place(
                wish, by=cancel.asked_by, form_token=f"instead-of-{order.pk}", instead_of=order
            )
    except LimitReached:
        Order.objects.filter(pk=order.pk).update(warnings=[*order.warnings, NO_OTHER])


def is_being_cancelled(order: Order) -> bool:
    return any(one.state in (*CANCEL_OPEN, C.UNCLEAR) for one in order.cancels.all())
