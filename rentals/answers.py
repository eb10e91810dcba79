"""What a provider's answer about an order changes in our row, and what it never does.

The first code, text, time and price that was stated stands. A later answer that lacks it
takes nothing away; one that differs is kept beside it, and the order is flagged.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from core.secrets import Secret
from providers.gateway.vocabulary import OrderState as StatedState
from providers.gateway.vocabulary import Rental

from . import cancels, pace
from .models import FoundOrder, Order, Watch
from .states import ORDER_STATES, OURS, OrderState

S = OrderState

SECRET: Final = ("code", "content")
PLAIN: Final = {
    "phone": "phone",
    "price": "price",
    "created_there": "created_at",
    "expires_there": "expires_at",
    "received_there": "received_at",
}
"""Our field: the answer's."""
MOST_KEPT: Final = 20
"""Differing answers of one order; a provider that changes its mind for ever fills no table."""
WITH_SMS: Final = frozenset({S.RECEIVED, S.COMPLETED})
WITHOUT_SMS: Final = frozenset({S.CANCELLED, S.EXPIRED})
MOST_NOT_FOUND: Final = 3
SAVED: Final = (
    "state",
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


def become(order: Order, rental: Rental, now: datetime, *, anchor: datetime) -> None:
    """A row that had no order of the provider's yet gets this one. `order` is locked."""
    order.provider_id = rental.order_id
    order.placed_at = now
    order.warnings = [*order.warnings, *rental.warnings]
    _fill(order, rental, now)
    order.expires_at = pace.end_of(order, anchor)
    if order.cancel_after:
        order.cancel_at = now + timedelta(minutes=order.cancel_after)
    _move(order, rental, now)
    order.next_poll_at = _next(order, now)
    order.changed_at = now
    order.save(update_fields=SAVED)
    # The list may have told of it before its own answer came.
    seen = FoundOrder.objects.filter(account=order.account_id, provider_id=rental.order_id)
    seen.filter(order=None).update(order=order)


def take_in(pk: int, rental: Rental, now: datetime, *, whole: bool) -> Order | None:
    """An answer about an order that is ours. `whole`: it was asked for itself, so that what
    is missing there is not to be had by asking again."""
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(pk=pk).first()
        if order is None:
            return None
        before = {name: getattr(order, name) for name in SAVED}
        _fill(order, rental, now)
        if "expires_there" in _changed(order, before) and order.placed_at:
            order.expires_at = pace.end_of(order, order.answered_at or order.placed_at)
        _move(order, rental, now)
        if whole:
            order.polled_at = now
            order.not_found = 0
            order.poll_claim = order.poll_claimed_at = None
        came = before["state"] not in WITH_SMS
        order.next_poll_at = _next(order, now, whole=whole, came=came)
        changed = _changed(order, before)
        if changed & SHOWN:
            order.changed_at = now
            changed.add("changed_at")
        if changed:
            order.save(update_fields=sorted(changed))
        if whole or order.state != before["state"]:
            cancels.follow(order, now)
        return order


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


def _fill(order: Order, rental: Rental, now: datetime) -> None:
    for ours, theirs in PLAIN.items():
        stated = getattr(rental, theirs)
        if stated in (None, ""):
            continue
        standing = getattr(order, ours)
        if standing in (None, ""):
            setattr(order, ours, stated)
        elif standing != stated:
            _note_difference(order, ours, str(stated), now)
    for name in SECRET:
        stated = getattr(rental, name)
        if stated:
            _fill_secret(order, name, stated, now)
    if rental.raw_state and rental.raw_state != order.provider_state:
        order.provider_state = rental.raw_state
    new = {k: v for k, v in rental.raw_times.items() if k not in order.raw_times}
    if new:
        order.raw_times = {**order.raw_times, **new}


def _fill_secret(order: Order, name: str, stated: str, now: datetime) -> None:
    standing: Secret | None = getattr(order, name) or None
    if standing is None:
        setattr(order, name, Secret(stated))
        if order.sms_at is None:
            order.sms_at = now
        return
    if standing.reveal() == stated:
        return
    kept = json.loads(order.differing_texts.reveal()) if order.differing_texts else []
    if any((one["field"], one["value"]) == (name, stated) for one in kept):
        return
    if len(kept) < MOST_KEPT:
        kept = [*kept, {"field": name, "value": stated, "at": now.isoformat()}]
        order.differing_texts = Secret(json.dumps(kept))
    _note_difference(order, name, "", now)


def _note_difference(order: Order, name: str, value: str, now: datetime) -> None:
    order.conflict = True
    if any((one["field"], one.get("value", "")) == (name, value) for one in order.differing):
        return
    if len(order.differing) < MOST_KEPT:
        one = {"field": name, "at": now.isoformat(), **({"value": value} if value else {})}
        order.differing = [*order.differing, one]


def _move(order: Order, rental: Rental, now: datetime) -> None:
    target = OURS.get(rental.state)
    if target is None or target == order.state:
        if rental.state == StatedState.UNRECOGNISED and order.state not in (S.PENDING, *WITH_SMS):
            _start_following(order)
        return
    if target in ORDER_STATES.moves[OrderState(order.state)]:
        order.state = target
        order.ended_at = None if target == S.PENDING else now
        order.reason = ""
    elif {order.state, target} & WITH_SMS and {order.state, target} & WITHOUT_SMS:
        _note_difference(order, "state", rental.raw_state, now)


def _start_following(order: Order) -> None:
    """An order whose state is a word that nobody knows exists all the same: it is followed
    like one that waits."""
    if S.PENDING in ORDER_STATES.moves[OrderState(order.state)]:
        order.state = S.PENDING
        order.reason = ""


def _next(
    order: Order, now: datetime, *, whole: bool = False, came: bool = True
) -> datetime | None:
    """When it is asked for again; None once there is nothing more to learn. `came`: its
    SMS is news."""
    if order.state == S.PENDING:
        if whole and now >= pace.gives_up_at(order):
            _give_up(order, now)
            return None
        return _next_while_pending(order, now, whole=whole)
    if order.state in WITH_SMS and not order.content and not whole:
        # The list told the code; the whole text is in the order's own answer.
        return now if came else order.next_poll_at
    return None


def _next_while_pending(order: Order, now: datetime, *, whole: bool) -> datetime:
    by_list = Watch.objects.filter(account=order.account_id, by_list=True).exists()
    if not whole and order.next_poll_at is not None:
        return order.next_poll_at
    look = pace.next_look(order, now, by_list=by_list)
    if order.provider_state and order.provider_state not in ("pending",) and not by_list:
        look = max(look, now + pace.SLOWEST)
    return look


def _give_up(order: Order, now: datetime) -> None:
    """Its time and the grace are over. That it ended is ours to say; how is not."""
    silent = order.provider_state == StatedState.PENDING
    order.state = S.EXPIRED_UNCONFIRMED if silent else S.STALE
    order.ended_at = now


def note_not_found(pk: int, now: datetime, reason: str) -> None:
    """The provider has no such order. Believed at the third time: a list may lag behind."""
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(pk=pk).first()
        if order is None or order.next_poll_at is None:
            return
        order.not_found += 1
        order.poll_claim = order.poll_claimed_at = None
        order.polled_at = now
        order.next_poll_at = now + pace.SLOWEST
        if order.not_found >= MOST_NOT_FOUND:
            order.next_poll_at = None
            if order.state == S.PENDING:
                order.state, order.reason, order.ended_at = S.STALE, reason, now
                order.changed_at = now
        order.save(update_fields=SAVED)


def note_expired(pk: int, now: datetime) -> None:
    """The provider says, in an error, that the order has expired."""
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(pk=pk).first()
        if order is None:
            return
        order.poll_claim = order.poll_claimed_at = None
        order.polled_at = now
        order.next_poll_at = None
        if order.state == S.PENDING:
            order.state, order.ended_at, order.changed_at = S.EXPIRED, now, now
        order.save(update_fields=SAVED)
        cancels.follow(order, now)


def note_failed_look(pk: int, now: datetime) -> None:
    """It could not be asked for; its pace goes on, and ends when its time is over."""
    with transaction.atomic():
        order = Order.objects.select_for_update().filter(pk=pk).first()
        if order is None or order.next_poll_at is None:
            return
        order.poll_claim = order.poll_claimed_at = None
        order.next_poll_at = now + pace.SLOWEST
        if order.state == S.PENDING and now >= pace.gives_up_at(order) + pace.GRACE:
            order.next_poll_at = None
            order.state, order.ended_at, order.changed_at = S.STALE, now, now
        elif order.state != S.PENDING and order.ended_at and now > order.ended_at + pace.GRACE:
            order.next_poll_at = None
        order.save(update_fields=SAVED)
