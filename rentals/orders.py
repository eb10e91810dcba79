"""Order numbers, and write down what a provider answers about an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.redaction import storable
from providers import daily_limits
from providers.engine.kick import kick_if_idle
from providers.gateway.errors import GatewayError
from providers.gateway.vocabulary import Outcome, Reason, Rental
from providers.models import Account, DailyLimit

from . import answers
from .models import Order
from .states import ORDER_STATES, OrderState

S = OrderState

PERMISSION: Final = "rentals.rent_order"
MOST_AT_ONCE: Final = 50
MAX_TRIES: Final = 3
BACKOFF: Final = (timedelta(seconds=2), timedelta(seconds=10))
TRY_ON_EVERY: Final = timedelta(seconds=15)
"""Where staff asked to keep trying while no number is free."""
MAX_AGE: Final = timedelta(minutes=30)
"""An order that could not be placed for so long is of no use: whoever wanted it has gone."""
HOPELESS: Final = frozenset({Reason.REDIRECTED, Reason.FORBIDDEN_ADDRESS, Reason.PORTAL_FAULT})
WAITED_TOO_LONG: Final = "order_waited_too_long"
TRIED_IN_VAIN: Final = "no_number_in_time"
NOT_ALLOWED: Final = "order_not_allowed"


@dataclass(frozen=True, slots=True)
class Wish:
    """What staff want to rent; already checked by the form."""

    account: Account
    project: str
    region: str
    count: int = 1
    keep_trying: int | None = None
    """Minutes."""
    cancel_after: int | None = None
    """Minutes without an SMS."""


def place(
    wish: Wish, *, by: User | None, form_token: str | None, instead_of: Order | None = None
) -> tuple[list[Order], bool]:
    """Write the orders down, take them from the daily limits and wake the engine, in one
    transaction. Raises `LimitReached`, and then nothing is written.

    The same form sent twice orders once: a unique constraint decides, and the second call
    returns the first one's orders and False.
    """
    rows = [_row(wish, by, form_token, position, instead_of) for position in range(wish.count)]
    try:
        with transaction.atomic():
            for row in rows:
                row.save(force_insert=True)
            caps = daily_limits.caps_of(wish.account, by, DailyLimit.What.ORDERS)
            daily_limits.take(caps, wish.count)
            kick_if_idle()
    except IntegrityError:
        earlier = placed_by(form_token, by)
        if not earlier:
            raise
        return earlier, False
    return rows, True


def may_rent(user: User | None) -> bool:
    """None: the portal itself, for what a person had asked for."""
    return user is None or (user.is_active and user.has_perm(PERMISSION))


def placed_by(form_token: str | None, by: User | None) -> list[Order]:
    """The orders that a form has made already."""
    if not form_token:
        return []
    made = Order.objects.filter(form_token=form_token, created_by=by)
    return list(made.order_by("position"))


def _row(
    wish: Wish, by: User | None, form_token: str | None, position: int, instead_of: Order | None
) -> Order:
    until = timezone.now() + timedelta(minutes=wish.keep_trying) if wish.keep_trying else None
    person = by.pk if by else None
    return Order(
        account=wish.account,
        project=wish.project,
        region=wish.region,
        form_token=form_token,
        position=position,
        keep_trying_until=until,
        cancel_after=wish.cancel_after,
        created_by_id=person,
        held_by_id=person,
        instead_of=instead_of,
    )


# --- what came of placing one ----------------------------------------------


def apply_placed(rows: QuerySet[Order], rental: Rental, now: datetime) -> None:
    """The provider rented us a number. `rows` is the one row that was being placed."""
    # That it was not made may have been believed meanwhile; this answer is stronger.
    open_ones = rows.filter(state__in=(S.PLACING, S.UNKNOWN, S.NOT_CREATED))
    order = open_ones.select_for_update().first()
    if order is None:
        return
    taken = Order.objects.filter(account=order.account_id, provider_id=rental.order_id)
    if taken.exclude(pk=order.pk).exists():
        # One number for two orders: which of them it is cannot be told by machine.
        ORDER_STATES.move(
            rows,
            S.UNKNOWN,
            sources=(S.PLACING,),
            reason=Reason.CONTRADICTION,
            words=f"order_id {rental.order_id}",
            claim=None,
            answered_at=now,
            changed_at=now,
        )
        return
    order.answered_at = now
    order.reason = ""
    order.claim = None
    answers.become(order, rental, now, anchor=now)


def apply_error(rows: QuerySet[Order], error: GatewayError, now: datetime) -> None:
    """What an error means for the order that was being placed."""
    said: dict[str, Any] = {
        "reason": error.reason,
        "words": storable(error.words),
        "http_status": error.http_status,
        "answered_at": now,
        "changed_at": now,
        "claim": None,
    }
    if error.outcome == Outcome.UNKNOWN:
        _end(rows, S.UNKNOWN, **said)
    elif error.outcome == Outcome.REFUSED:
        _refused(rows, error, now, said)
    else:
        _not_done(rows, error, now, said)


def _refused(
    rows: QuerySet[Order], error: GatewayError, now: datetime, said: dict[str, Any]
) -> None:
    if error.reason == Reason.NO_NUMBER_AVAILABLE:
        again = rows.filter(keep_trying_until__gt=now + TRY_ON_EVERY)
        _end(again, S.QUEUED, not_before=now + TRY_ON_EVERY, handed_over_at=None, **said)
    _end(rows, S.REFUSED, ended_at=now, **said)


def _not_done(
    rows: QuerySet[Order], error: GatewayError, now: datetime, said: dict[str, Any]
) -> None:
    tries = rows.values_list("tries", flat=True).first()
    if tries is None:
        return
    counted = error.reason != Reason.RATE_LIMITED
    if error.reason in HOPELESS or (counted and tries + 1 >= MAX_TRIES):
        _end(rows, S.NOT_CREATED, tries=tries + 1, ended_at=now, **said)
        return
    wait = BACKOFF[min(tries, len(BACKOFF) - 1)] if counted else timedelta(0)
    changes = {"tries": tries + counted, "not_before": now + wait, "handed_over_at": None}
    _end(rows, S.QUEUED, **changes, **said)


def _end(rows: QuerySet[Order], state: OrderState, **changes: Any) -> int:
    return ORDER_STATES.move(rows, state, sources=(S.PLACING,), **changes)


# --- rows that nobody placed -------------------------------------------------


def not_too_old(rows: QuerySet[Order], now: datetime) -> QuerySet[Order]:
    return rows.filter(created_at__gt=now - MAX_AGE) | rows.filter(keep_trying_until__gt=now)


def put_aside_what_is_too_old(now: datetime) -> None:
    queued = Order.objects.filter(state=S.QUEUED, created_at__lte=now - MAX_AGE)
    queued = queued.exclude(keep_trying_until__gt=now)
    done = {"ended_at": now, "changed_at": now}
    ORDER_STATES.move(
        queued.filter(reason=Reason.NO_NUMBER_AVAILABLE),
        S.REFUSED,
        sources=(S.QUEUED,),
        reason=TRIED_IN_VAIN,
        **done,
    )
    ORDER_STATES.move(queued, S.NOT_CREATED, sources=(S.QUEUED,), reason=WAITED_TOO_LONG, **done)


def refuse_for_want_of_rights(order: Order) -> None:
    """Whoever wanted it may not rent any more, or is nobody here any more."""
    now = timezone.now()
    done = {"reason": NOT_ALLOWED, "ended_at": now, "changed_at": now}
    row = Order.objects.filter(pk=order.pk)
    ORDER_STATES.move(row, S.NOT_CREATED, sources=(S.QUEUED,), **done)


def withdraw(order: Order, by: User) -> bool:
    """Stop an order before it was placed. False: it was too late."""
    now = timezone.now()
    return bool(
        ORDER_STATES.move(
            Order.objects.filter(pk=order.pk),
            S.CANCELLED,
            sources=(S.QUEUED,),
            ended_at=now,
            ended_by_id=by.pk,
            changed_at=now,
        )
    )


def hand_to(order: Order, person: User) -> bool:
    """Who holds an order sees its code. False: somebody else holds it since it was looked at."""
    seen = Order.objects.filter(pk=order.pk, held_by_id=order.held_by_id)
    return bool(seen.update(held_by_id=person.pk, changed_at=timezone.now()))


def by_provider_id(account: Account | int, ids: Sequence[str]) -> dict[str, Order]:
    pk = account if isinstance(account, int) else account.pk
    found = Order.objects.filter(account=pk, provider_id__in=list(ids))
    return {order.provider_id: order for order in found}
