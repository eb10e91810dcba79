"""Apply the result of a call that places an order."""

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
"""Delay between tries if no number is free and staff asked to keep trying."""


def apply_placed(rows: QuerySet[Order], rental: Rental, now: datetime) -> None:
    """Apply an answer that a number was rented. `rows` selects the one row.

    1. Take the row if it is being placed, unknown or believed not to be created; the provider's
       own answer overrides that belief.
    2. If another row already has this provider's id, leave the outcome unknown: the portal cannot
       decide which of the two orders the number belongs to.
    3. Otherwise attach the provider's order to the row.
    """
    # Meanwhile the order may have been believed not to exist; this answer overrides it.
    open_ones = rows.filter(state__in=(S.PLACING, S.UNKNOWN, S.NOT_CREATED))
    order = open_ones.select_for_update().first()
    if order is None:
        return
    taken = Order.objects.filter(account=order.account_id, provider_id=rental.order_id)
    # Without this, SQLite would read all orders of the account.
    taken = taken.exclude(provider_id="")
    if taken.exclude(pk=order.pk).exists():
        # One number for two orders: staff decide which one it belongs to.
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
    """Apply an error of the call. `rows` selects the one row that is being placed.

    Unknown outcomes are never queued again. A refusal ends the order, unless no number was free
    and staff asked to keep trying. A call that was certainly not made is retried.
    """
    answer = _answer_of(error, now)
    if error.outcome == Outcome.UNKNOWN:
        _move(rows, S.UNKNOWN, **answer)
    elif error.outcome == Outcome.REFUSED:
        _apply_refused(rows, error, now, answer)
    else:
        _apply_not_done(rows, error, now, answer)


def apply_late_error(given_up: QuerySet[Order], error: GatewayError, now: datetime) -> None:
    """Apply the answer to a call that was given up as unknown. The order is settled if possible,
    and never queued again."""
    answer = _answer_of(error, now)
    state = {Outcome.REFUSED: S.REFUSED, Outcome.NOT_DONE: S.NOT_CREATED}.get(error.outcome)
    if state is None:
        given_up.update(**answer)
    else:
        ORDER_STATES.move(given_up, state, sources=(S.UNKNOWN,), ended_at=now, **answer)


def _answer_of(error: GatewayError, now: datetime) -> dict[str, Any]:
    return {
        "reason": error.reason,
        "words": storable(error.words),
        "http_status": error.http_status,
        "answered_at": now,
        "changed_at": now,
        "claim": None,
    }


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
