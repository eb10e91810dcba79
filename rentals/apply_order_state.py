"""Apply a provider's answer to an order: its state and its next poll.

`provider_fields` stores what the answer states.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from providers.gateway.vocabulary import OrderState as StatedState
from providers.gateway.vocabulary import Rental

from . import cancel_requests, poll_intervals, provider_fields
from .models import FoundOrder, Order, Watch
from .states import ENDED_WHILE_PENDING, FROM_PROVIDER, ORDER_STATES, SUPERSEDED, OrderState

S = OrderState

WITH_SMS: Final = frozenset({S.RECEIVED, S.COMPLETED})
SAVED: Final = (
    "reason",
    "claim",
    "answered_at",
    "provider_id",
    "project",
    "region",
    "phone",
    "price",
    "provider_state",
    "code",
    "content",
    "created_there",
    "expires_there",
    "received_there",
    "raw_times",
    "warnings",
    "differing",
    "differing_texts",
    "conflict",
    "placed_at",
    "expires_at",
    "cancel_at",
    "sms_at",
    "ended_at",
    "changed_at",
    "next_poll_at",
    "polled_at",
    "poll_claim",
    "poll_claimed_at",
    "not_found",
)


def attach(order: Order, rental: Rental, now: datetime, *, started_at: datetime) -> None:
    """Tie the provider's order to a row that has none yet, and schedule its first poll.

    `order` must be locked by the caller. `started_at`: when the order's lifetime began, by our
    clock.
    """
    order.provider_id = rental.order_id
    order.placed_at = now
    order.warnings = [*order.warnings, *rental.warnings]
    provider_fields.fill(order, rental, now)
    order.expires_at = poll_intervals.end_of(order, started_at)
    if order.cancel_after:
        order.cancel_at = now + timedelta(minutes=order.cancel_after)
    _move(order, rental, now)
    order.next_poll_at = _next_poll_at(order, now)
    order.changed_at = now
    order.save(update_fields=SAVED)
    # The list may have shown the order before this answer arrived.
    seen = FoundOrder.objects.filter(account=order.account_id, provider_id=rental.order_id)
    seen.filter(order=None).update(order=order)


def apply(
    pk: int, rental: Rental, now: datetime, *, from_lookup: bool, asked_at: datetime | None = None
) -> Order | None:
    """Apply an answer about one of our orders; return it, or None if it no longer exists.

    1. Lock the row and store what the answer states. An answer about another number is only
       kept beside the order and moves nothing.
    2. Move the state where the table allows it; otherwise record a conflict.
    3. Schedule the next poll.
    4. Save the changed fields only, then decide the order's cancels.

    `from_lookup`: the answer is to a lookup of this order alone, so asking again would not yield
    the fields that it lacks. `asked_at`: when the question left, if that was a while ago.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(pk=pk).first()
        if order is None:
            return None
        state_before = order.state
        before = {name: getattr(order, name) for name in SAVED}
        if provider_fields.fill(order, rental, now):
            states_end = {"expires_there", "raw_times"} & _changed(order, before)
            if states_end and order.placed_at:
                order.expires_at = poll_intervals.end_of(order, _started_at(order))
            _move(order, rental, now, asked_at=asked_at if from_lookup else None)
        if from_lookup:
            order.polled_at = now
            order.not_found = 0
            order.poll_claim = order.poll_claimed_at = None
        sms_is_new = state_before not in WITH_SMS or bool(order.code and not before["code"])
        order.next_poll_at = _next_poll_at(
            order, now, from_lookup=from_lookup, sms_is_new=sms_is_new
        )
        changed, has_moved = _changed(order, before), order.state != state_before
        if has_moved or changed & SHOWN:
            order.changed_at = now
            changed.add("changed_at")
        if changed:
            order.save(update_fields=sorted(changed))
        if from_lookup or has_moved:
            cancel_requests.decide_cancels(order, asked_at or now, ended=has_moved)
        return order


def _started_at(order: Order) -> datetime:
    """When the order's lifetime began, by our clock."""
    placed = order.placed_at or order.created_at
    return min(order.created_at, placed) if order.imported else order.answered_at or placed


SHOWN: Final = frozenset(SAVED) - {
    "next_poll_at",
    "polled_at",
    "poll_claim",
    "poll_claimed_at",
    "not_found",
    "claim",
}


def _changed(order: Order, before: dict[str, Any]) -> set[str]:
    return {name for name, value in before.items() if getattr(order, name) is not value}


def _move(order: Order, rental: Rental, now: datetime, *, asked_at: datetime | None = None) -> None:
    """Move to the state that the provider states, if the table allows it.

    If the table forbids the move, the stated state is kept beside the order as a conflict.
    """
    target = FROM_PROVIDER.get(rental.state)
    if target is None or target == order.state:
        if rental.state == StatedState.UNRECOGNISED and order.state not in (S.PENDING, *WITH_SMS):
            _start_following(order)
        return
    if target in ORDER_STATES.moves[OrderState(order.state)]:
        ended_at = None if target == S.PENDING else now
        ORDER_STATES.set(order, target, reason="", ended_at=ended_at)
    elif not _is_superseded(order, target, asked_at):
        provider_fields.record_difference(order, "state", rental.raw_state, now)


def _is_superseded(order: Order, target: OrderState, asked_at: datetime | None) -> bool:
    """Whether the provider may have stated `target` before we learnt of the current state."""
    state = OrderState(order.state)
    if target == S.PENDING and state in ENDED_WHILE_PENDING:
        return True
    asked_since = asked_at is not None and asked_at > order.changed_at
    return not asked_since and target in SUPERSEDED.get(state, ())


def _start_following(order: Order) -> None:
    """Poll an order in an unrecognised state like a pending one.

    The provider stated some state, so the order exists.
    """
    if S.PENDING in ORDER_STATES.moves[OrderState(order.state)]:
        ORDER_STATES.set(order, S.PENDING, reason="")


def _next_poll_at(
    order: Order, now: datetime, *, from_lookup: bool = False, sms_is_new: bool = True
) -> datetime | None:
    """When to ask for the order again; None once there is nothing more to learn.

    `sms_is_new`: this answer is the first that shows the SMS.
    """
    if order.state == S.PENDING:
        if from_lookup and poll_intervals.is_over(poll_intervals.gives_up_at(order), now):
            _give_up(order, now)
            return None
        return _next_poll_while_pending(order, now, from_lookup=from_lookup)
    if order.state in WITH_SMS and not order.content and not from_lookup:
        # The list states the code; only a lookup returns the whole text.
        return now if sms_is_new else order.next_poll_at
    if order.state == S.RECEIVED and not (order.code or order.content) and from_lookup:
        # "received" without code or text: ask again for as long as the order lives.
        later = now + poll_intervals.SLOWEST
        return later if order.expires_at and later < order.expires_at else None
    return None


def _next_poll_while_pending(order: Order, now: datetime, *, from_lookup: bool) -> datetime:
    by_list = Watch.objects.filter(account=order.account_id, by_list=True).exists()
    if not from_lookup and order.next_poll_at is not None:
        return order.next_poll_at
    look = poll_intervals.next_poll(order, now, by_list=by_list)
    if order.provider_state and order.provider_state not in ("pending",) and not by_list:
        look = max(look, now + poll_intervals.SLOWEST)
    return look


def _give_up(order: Order, now: datetime) -> None:
    """End an order whose lifetime and grace period have passed.

    The portal decides that the order has ended, but cannot know how.
    """
    silent = order.provider_state == StatedState.PENDING
    ORDER_STATES.set(order, S.EXPIRED_UNCONFIRMED if silent else S.STALE, ended_at=now)
