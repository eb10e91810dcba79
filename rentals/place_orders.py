"""Order numbers, and stop those that were not placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from providers import daily_limits
from providers.engine.wake import wake_engine
from providers.gateway.vocabulary import Reason
from providers.models import Account, DailyLimit

from .models import Order
from .states import ORDER_STATES, OrderState

S = OrderState

PERMISSION: Final = "rentals.rent_order"
MOST_AT_ONCE: Final = 50
MAX_AGE: Final = timedelta(minutes=30)
"""An order that could not be placed for so long is of no use: whoever wanted it has gone."""
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
            wake_engine()
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


# --- rows that nobody placed -------------------------------------------------


def not_too_old(rows: QuerySet[Order], now: datetime) -> QuerySet[Order]:
    return rows.filter(created_at__gt=now - MAX_AGE) | rows.filter(keep_trying_until__gt=now)


def end_expired(now: datetime) -> None:
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


def by_provider_id(account: Account | int, ids: Sequence[str]) -> dict[str, Order]:
    pk = account if isinstance(account, int) else account.pk
    found = Order.objects.filter(account=pk, provider_id__in=list(ids))
    return {order.provider_id: order for order in found}
