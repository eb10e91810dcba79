"""Apply what a provider answered when an order was to be placed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from core.redaction import storable
from providers.engine.retry import next_try
from providers.gateway.errors import GatewayError
from providers.gateway.vocabulary import Outcome, Reason, Rental

from . import apply_order_state
from .models import Order
from .states import ORDER_STATES, OrderState

S = OrderState

NO_NUMBER_RETRY: Final = timedelta(seconds=15)
"""Where staff asked to keep trying while no number is free."""


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
    apply_order_state.attach(order, rental, now, started_at=now)


def apply_error(rows: QuerySet[Order], error: GatewayError, now: datetime) -> None:
    """What an error means for the order that was being placed."""
    answer: dict[str, Any] = {
        "reason": error.reason,
        "words": storable(error.words),
        "http_status": error.http_status,
        "answered_at": now,
        "changed_at": now,
        "claim": None,
    }
    if error.outcome == Outcome.UNKNOWN:
        _move(rows, S.UNKNOWN, **answer)
    elif error.outcome == Outcome.REFUSED:
        _apply_refused(rows, error, now, answer)
    else:
        _apply_not_done(rows, error, now, answer)


def _apply_refused(
    rows: QuerySet[Order], error: GatewayError, now: datetime, answer: dict[str, Any]
) -> None:
    if error.reason == Reason.NO_NUMBER_AVAILABLE:
        again = rows.filter(keep_trying_until__gt=now + NO_NUMBER_RETRY)
        _move(again, S.QUEUED, not_before=now + NO_NUMBER_RETRY, handed_over_at=None, **answer)
    _move(rows, S.REFUSED, ended_at=now, **answer)


def _apply_not_done(
    rows: QuerySet[Order], error: GatewayError, now: datetime, answer: dict[str, Any]
) -> None:
    tries = rows.values_list("tries", flat=True).first()
    if tries is None:
        return
    again = next_try(error, tries, now)
    if again is None:
        _move(rows, S.NOT_CREATED, tries=tries + 1, ended_at=now, **answer)
        return
    changes = {"tries": again.tries, "not_before": again.not_before, "handed_over_at": None}
    _move(rows, S.QUEUED, **changes, **answer)


def _move(rows: QuerySet[Order], state: OrderState, **changes: Any) -> int:
    return ORDER_STATES.move(rows, state, sources=(S.PLACING,), **changes)
