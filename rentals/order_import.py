"""Import pages of the provider's order list: updates of our orders, and found orders.

A found order is one that the list shows and that was not placed here. A manager imports it; the
portal does so automatically if the account's key is exclusive to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from core.secrets import Secret
from providers import clock
from providers.gateway.vocabulary import OrderState as StatedState
from providers.gateway.vocabulary import Rental
from providers.models import Account

from . import apply_order_state
from .models import FoundOrder, Order
from .place_orders import by_provider_id
from .provider_fields import known_part, states_other_code
from .same_number import is_same_number
from .states import OrderState

S = OrderState

CLOCK_SAMPLE: Final = 9
"""Newest orders that the clock skew is taken from; a single slow answer would distort it."""


def import_page(account: Account, rentals: Sequence[Rental], now: datetime) -> int:
    """Apply a page of the order list; return how many found orders are new.

    If an order is on the page twice, both rows are applied to ours. Of a found order the first row
    is stored, and the others only add to it.
    """
    ours = by_provider_id(account, list({one.order_id for one in rentals}))
    for one in rentals:
        order = ours.get(one.order_id)
        if order is not None and _has_news(order, known_part(order, one)):
            apply_order_state.apply(order.pk, one, now, from_lookup=False)
    others: dict[str, list[Rental]] = {}
    for one in rentals:
        if one.order_id not in ours:
            others.setdefault(one.order_id, []).append(one)
    return _record_found_orders(account, others, now)


def _has_news(order: Order, rental: Rental) -> bool:
    return (
        rental.state_word != order.provider_state
        or bool(rental.code and not order.code)
        or states_other_code(order, rental)
        or (rental.price is not None and rental.price != order.price)
        or (rental.received_at is not None and rental.received_at != order.received_there)
        or (bool(rental.phone) and not is_same_number(rental.phone, order.phone, order.region))
    )


def _record_found_orders(account: Account, others: dict[str, list[Rental]], now: datetime) -> int:
    rows = FoundOrder.objects.filter(account=account, provider_id__in=list(others))
    existing = {row.provider_id: row for row in rows}
    new = [
        _new_found_order(account, stated[0], now)
        for key, stated in others.items()
        if key not in existing
    ]
    FoundOrder.objects.bulk_create(new, ignore_conflicts=True)
    rows.update(last_seen_at=now)
    for key, row in existing.items():
        for one in others[key]:
            _update_found_order(row, one)
    return len(new)


def _update_found_order(found: FoundOrder, one: Rental) -> None:
    """Add what a later reading states. Code, text, number and time are set once."""
    changed = []
    one = known_part(found, one)
    for name, value in (("provider_state", one.state_word), ("stated", one.state)):
        if getattr(found, name) != value:
            setattr(found, name, value)
            changed.append(name)
    for name, secret in (("code", one.code), ("content", one.content)):
        if secret and not getattr(found, name):
            setattr(found, name, Secret(secret))
            changed.append(name)
    for name, stated in (("phone", one.phone), ("received_there", one.received_at)):
        if stated and not getattr(found, name):
            setattr(found, name, stated)
            changed.append(name)
    if changed:
        found.save(update_fields=changed)


def _new_found_order(account: Account, one: Rental, now: datetime) -> FoundOrder:
    found = FoundOrder(
        account=account,
        provider_id=one.order_id,
        project=one.project,
        region=one.region,
        phone=one.phone,
        provider_state=one.state_word,
        stated=one.state,
        code=Secret(one.code) if one.code else "",
        content=Secret(one.content) if one.content else "",
        created_there=one.created_at,
        expires_there=one.expires_at,
        received_there=one.received_at,
        raw_times=dict(one.raw_times),
        first_seen_at=now,
        last_seen_at=now,
    )
    found.price = one.price
    return found


def count_known(account: Account) -> int:
    """Number of known orders of the provider's list, from here or elsewhere."""
    ours = Order.objects.filter(account=account).exclude(provider_id="").count()
    return ours + FoundOrder.objects.filter(account=account, order=None).count()


def import_order(found: FoundOrder, by: User | None) -> Order | None:
    """Turn a found order into one of our own, held by `by`. None: it already is one."""
    now = clock.now()
    with transaction.atomic():
        free = FoundOrder.objects.select_for_update().filter(pk=found.pk, order=None).first()
        if free is None:
            return None
        order = Order.objects.create(
            account=free.account,
            project=free.project,
            region=free.region,
            state=S.UNKNOWN,
            imported=True,
            held_by_id=by.pk if by else None,
            created_at=placed_at(free),
        )
        apply_order_state.attach(order, to_rental(free), now, started_at=min(order.created_at, now))
        FoundOrder.objects.filter(pk=free.pk).update(order=order)
        poll_now = {"next_poll_at": now}
        Order.objects.filter(
            pk=order.pk, state__in=(S.PENDING, *apply_order_state.WITH_SMS)
        ).update(**poll_now)
    order.refresh_from_db()
    return order


def import_unclaimed(account: Account) -> None:
    """Import the found orders that cannot be a lost order of ours.

    A found order of the same app and country as an order that is being placed or on hold, or whose
    outcome is unknown, may be that one.
    """
    may_be_it = (S.UNKNOWN, S.HELD, S.CLAIMED, S.PLACING)
    lost = Order.objects.filter(account=account, state__in=may_be_it)
    sought = set(lost.values_list("project", "region"))
    for found in FoundOrder.objects.filter(account=account, order=None):
        if (found.project, found.region) not in sought:
            import_order(found, None)


def placed_at(found: FoundOrder) -> datetime:
    """When the found order was placed, by our clock; the provider's skew is subtracted."""
    if found.created_there is None:
        return found.first_seen_at
    skew = clock_skew(found.account_id) or timedelta(0)
    return min(found.created_there - skew, found.first_seen_at)


def clock_skew(account_id: int) -> timedelta | None:
    """How far the provider's clock is ahead of ours: the median over the newest orders that it
    placed for us. None if there is no such order yet."""
    rows = Order.objects.filter(account=account_id, imported=False, settled_at=None)
    rows = rows.exclude(created_there=None).exclude(answered_at=None)
    times = rows.order_by("-created_at").values_list("created_there", "answered_at")[:CLOCK_SAMPLE]
    seconds = [(there - here).total_seconds() for there, here in times if there and here]
    return timedelta(seconds=median(seconds)) if seconds else None


def to_rental(found: FoundOrder) -> Rental:
    """The provider's answer that the found order was stored from."""
    return Rental(
        order_id=found.provider_id,
        state=StatedState(found.stated),
        raw_state=found.provider_state,
        phone=found.phone,
        project=found.project,
        region=found.region,
        price=found.price,
        code=found.code.reveal() if found.code else None,
        content=found.content.reveal() if found.content else None,
        created_at=found.created_there,
        expires_at=found.expires_there,
        received_at=found.received_there,
        raw_times=found.raw_times,
    )
