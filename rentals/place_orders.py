"""Queue orders of numbers, and end those that were not placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from core.acts import record_acts
from providers import clock, daily_limits
from providers.approvals import requests
from providers.approvals.rules import ApprovalNeeded, Passed, passed_limits
from providers.engine.wake import wake_engine
from providers.gateway.vocabulary import Reason
from providers.hold.holdable import FROM_BEFORE
from providers.models import Account, DailyLimit, Hold
from providers.states import ApprovalState

from . import proposals
from .models import Order
from .proposals import MAX_AGE
from .states import ORDER_STATES, OrderState

S = OrderState

PERMISSION: Final = "rentals.rent_order"
MAX_AT_ONCE: Final = 50
WAITED_TOO_LONG: Final = "order_waited_too_long"
NO_NUMBER_IN_TIME: Final = "no_number_in_time"
NOT_ALLOWED: Final = "order_not_allowed"
REJECTED: Final = "order_rejected"
APPROVAL_TIMED_OUT: Final = "order_approval_timed_out"


@dataclass(frozen=True, slots=True)
class RentRequest:
    """A validated request for numbers, as the form states it."""

    account: Account
    project: str
    region: str
    count: int = 1
    keep_trying: int | None = None
    """Minutes."""
    cancel_after: int | None = None
    """Minutes without an SMS."""


def place(
    request: RentRequest,
    *,
    by: User | None,
    form_token: str | None,
    instead_of: Order | None = None,
    hold: Hold | None = None,
    why: str | None = None,
) -> tuple[list[Order], bool]:
    """Queue the orders, count them against the caps and wake the engine, in one
    transaction. `hold`: they are on hold at once. `why`: the reason for asking a second person,
    if these orders need one; they then wait for that person.

    Returns the orders and whether they are new. A form that is sent twice orders once: a unique
    constraint decides, and the second call returns the orders of the first and False.

    Raises `LimitReached`, or `ApprovalNeeded` if a second person must agree and `why` is None;
    nothing is written then.
    """
    try:
        with transaction.atomic():
            passed = limits_passed_by(request, by, lock=True)
            if passed and (earlier := orders_of_form(form_token, by)):
                # The same form, sent twice at the same time: the limits count the first.
                return earlier, False
            if passed and (why is None or hold is not None):
                raise ApprovalNeeded(passed)
            state = S.AWAITING_APPROVAL if passed else S.HELD if hold else S.QUEUED
            rows = [
                _row(request, by, form_token, position, instead_of, hold, state)
                for position in range(request.count)
            ]
            for row in rows:
                row.save(force_insert=True)
            if passed and by is not None:
                _ask(rows, request, passed, by, why or "")
            orders, country = DailyLimit.What.ORDERS, request.region.upper()
            caps = daily_limits.caps_of_send(request.account, by, orders, "", country)
            daily_limits.take(caps, request.count)
            if instead_of is None:
                # One in place of another was asked for with the cancellation of that one.
                record_acts("order.place", by=by, subjects=[f"order:{row.pk}" for row in rows])
            wake_engine()
    except IntegrityError:
        earlier = orders_of_form(form_token, by)
        if not earlier:
            raise
        return earlier, False
    return rows, True


def limits_passed_by(request: RentRequest, by: User | None, *, lock: bool = False) -> list[Passed]:
    """The limits that these orders would pass. `lock`: in the transaction that places them."""
    if by is None:
        return []
    size = proposals.size_of(request.account, request.project, request.region, request.count)
    return passed_limits(by, proposals.KIND, size, lock=lock)


def _ask(rows: list[Order], request: RentRequest, passed: list[Passed], by: User, why: str) -> None:
    approval = requests.ask(proposals.proposal_of(rows), passed, by=by, why=why)
    Order.objects.filter(pk__in=[row.pk for row in rows]).update(approval=approval)
    for row in rows:
        row.approval = approval


def may_rent(user: User | None) -> bool:
    """Whether this person may rent. None is the portal, acting on an earlier request."""
    return user is None or (user.is_active and user.has_perm(PERMISSION))


def orders_of_form(form_token: str | None, by: User | None) -> list[Order]:
    """The orders that this form has already created, by position."""
    if not form_token:
        return []
    made = Order.objects.filter(form_token=form_token, created_by=by)
    return list(made.order_by("position"))


def _row(
    request: RentRequest,
    by: User | None,
    form_token: str | None,
    position: int,
    instead_of: Order | None,
    hold: Hold | None,
    state: OrderState,
) -> Order:
    until = clock.now() + timedelta(minutes=request.keep_trying) if request.keep_trying else None
    person = by.pk if by else None
    return Order(
        account=request.account,
        project=request.project,
        region=request.region,
        form_token=form_token,
        position=position,
        keep_trying_until=until,
        cancel_after=request.cancel_after,
        created_by_id=person,
        held_by_id=person,
        instead_of=instead_of,
        state=state,
        hold=hold,
    )


# --- orders that were not placed -------------------------------------------------


def not_expired(rows: QuerySet[Order], now: datetime) -> QuerySet[Order]:
    """Orders that may still be placed: by age, or because staff asked to keep trying."""
    return rows.filter(created_at__gt=now - MAX_AGE) | rows.filter(keep_trying_until__gt=now)


def is_agreed() -> Q:
    """Selects orders that need no second person, or of which one has agreed."""
    return Q(approval=None) | Q(approval__state=ApprovalState.GRANTED)


def end_expired(now: datetime) -> None:
    """End orders that may no longer be placed. What is on hold stays so."""
    requests.lapse_overdue(proposals.KIND)
    _rejoin(now)
    queued = Order.objects.filter(state=S.QUEUED, hold=None, created_at__lte=now - MAX_AGE)
    queued = queued.exclude(keep_trying_until__gt=now)
    changes = {"ended_at": now, "changed_at": now}
    without_number = queued.filter(reason=Reason.NO_NUMBER_AVAILABLE)
    _end_unplaced(without_number, S.REFUSED, reason=NO_NUMBER_IN_TIME, **changes)
    _end_unplaced(queued, S.NOT_CREATED, reason=WAITED_TOO_LONG, **changes)


def _end_unplaced(rows: QuerySet[Order], state: OrderState, **changes: Any) -> int:
    """End queued orders in `state`. Those released from a hold end as unknown, because they may
    have been placed before it, and the search for them continues. Returns how many ended."""
    began = Hold.objects.filter(pk=OuterRef("released_from")).values("started_at")
    lost = {"reason": FROM_BEFORE, "answered_at": Subquery(began), "ended_at": None}
    moved = ORDER_STATES.move(
        rows.filter(released_from__isnull=False),
        S.UNKNOWN,
        sources=(S.QUEUED,),
        **{**changes, **lost},
    )
    return moved + ORDER_STATES.move(rows, state, sources=(S.QUEUED,), **changes)


def _rejoin(now: datetime) -> None:
    """Put orders on hold again that were in flight when it began and were not placed after all.

    If their hold has ended meanwhile, they are no longer needed.
    """
    back = Order.objects.filter(state=S.QUEUED, hold__isnull=False)
    open_holds = Hold.objects.filter(ended_at=None)
    ORDER_STATES.move(back.filter(hold__in=open_holds), S.HELD, sources=(S.QUEUED,), changed_at=now)
    end = {"reason": WAITED_TOO_LONG, "ended_at": now, "changed_at": now}
    ORDER_STATES.move(back.exclude(hold__in=open_holds), S.NOT_CREATED, sources=(S.QUEUED,), **end)


def refuse_without_permission(order: Order) -> None:
    """End a queued order whose person may no longer rent or has left."""
    now = clock.now()
    changes = {"reason": NOT_ALLOWED, "ended_at": now, "changed_at": now}
    row = Order.objects.filter(pk=order.pk)
    _end_unplaced(row, S.NOT_CREATED, **changes)


def withdraw(order: Order, by: User) -> bool:
    """Cancel an order before it is placed. False: too late."""
    now = clock.now()
    row = Order.objects.filter(pk=order.pk)
    changes = {"ended_at": now, "ended_by_id": by.pk, "changed_at": now}
    return bool(_end_unplaced(row, S.CANCELLED, **changes))


def by_provider_id(account: Account | int, ids: Sequence[str]) -> dict[str, Order]:
    pk = account if isinstance(account, int) else account.pk
    found = Order.objects.filter(account=pk, provider_id__in=list(ids))
    return {order.provider_id: order for order in found}
