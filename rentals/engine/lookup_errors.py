"""Apply errors of order lookups: failed calls, and orders that the provider does not know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from django.db import transaction

from providers.gateway.errors import GatewayError
from providers.gateway.vocabulary import Reason

from .. import apply_order_state, cancel_requests, poll_intervals
from ..models import Order
from ..states import ORDER_STATES, OrderState

S = OrderState
MAX_NOT_FOUND: Final = 3


def apply_lookup_error(pk: int, error: GatewayError, now: datetime) -> None:
    match error.reason:
        case Reason.ORDER_NOT_FOUND:
            note_not_found(pk, now, error.reason)
        case Reason.ORDER_EXPIRED:
            note_expired(pk, now)
        case Reason.CONTRADICTION:
            # The answer is about another order: flag the conflict for staff, change nothing.
            Order.objects.filter(pk=pk).update(conflict=True, changed_at=now)
            note_failed_lookup(pk, now)
        case _:
            note_failed_lookup(pk, now)


@contextmanager
def _looked_up(pk: int) -> Iterator[Order | None]:
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(pk=pk).first()
        if order is not None:
            order.poll_claim = order.poll_claimed_at = None
        yield order
        if order is not None:
            order.save(update_fields=apply_order_state.SAVED)


def note_not_found(pk: int, now: datetime, reason: str) -> None:
    """Count an answer that the provider has no such order.

    Polling continues: the provider's list may lag behind, and proxies answer 404, too. The answer
    is treated as final once the order's lifetime has passed.
    """
    with _looked_up(pk) as order:
        if order is None or order.next_poll_at is None:
            return
        order.not_found += 1
        order.polled_at = now
        order.next_poll_at = now + poll_intervals.SLOWEST
        if order.not_found == MAX_NOT_FOUND:
            order.changed_at = now
        if is_not_found(order) and poll_intervals.is_over(order.expires_at or now, now):
            order.next_poll_at = None
            if order.state == S.PENDING:
                ORDER_STATES.set(order, S.STALE, reason=reason, ended_at=now, changed_at=now)


def is_not_found(order: Order) -> bool:
    return order.not_found >= MAX_NOT_FOUND


def note_expired(pk: int, now: datetime) -> None:
    """Apply an error that states that the order has expired."""
    with _looked_up(pk) as order:
        if order is None:
            return
        order.polled_at = now
        order.next_poll_at = None
        if order.state == S.PENDING:
            ORDER_STATES.set(order, S.EXPIRED, ended_at=now, changed_at=now)
        cancel_requests.decide_cancels(order, now)


def note_failed_lookup(pk: int, now: datetime) -> None:
    """Schedule the next lookup after a failed one.

    Polling ends once the order's time and both grace periods have passed.
    """
    with _looked_up(pk) as order:
        if order is None or order.next_poll_at is None:
            return
        order.next_poll_at = now + poll_intervals.SLOWEST
        last = poll_intervals.gives_up_at(order) + poll_intervals.GRACE
        if order.state == S.PENDING and poll_intervals.is_over(last, now):
            order.next_poll_at = None
            ORDER_STATES.set(order, S.STALE, ended_at=now, changed_at=now)
        elif (
            order.state != S.PENDING
            and order.ended_at
            and now > order.ended_at + poll_intervals.GRACE
        ):
            order.next_poll_at = None
