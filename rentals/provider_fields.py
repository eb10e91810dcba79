"""What a provider states of an order, written beside what it stated before.

The first code, text, time and price that was stated stands. A later answer that lacks it
takes nothing away; one that differs is kept beside it, and the order is flagged.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from core.fields import UnreadableSecret
from core.secrets import Secret
from providers.gateway.vocabulary import Rental

from .models import Order

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
FEWEST_DIGITS: Final = 6
"""In common at the end, for two ways of writing to be of one number."""


def fill(order: Order, rental: Rental, now: datetime) -> bool:
    """False: the answer is about another number than the one that was rented. It may be
    anybody's SMS, so nothing of it is taken over; it is kept beside the order, and flagged."""
    if not _is_its_number(order, rental):
        _keep_all_beside(order, rental, now)
        return False
    for ours, theirs in PLAIN.items():
        stated = getattr(rental, theirs)
        if stated not in (None, ""):
            _fill_plain(order, ours, stated, now)
    for name in SECRET:
        stated = getattr(rental, name)
        if stated:
            _fill_secret(order, name, stated, now)
    if rental.raw_state and rental.raw_state != order.provider_state:
        order.provider_state = rental.raw_state
    new = {k: v for k, v in rental.raw_times.items() if k not in order.raw_times}
    if new:
        order.raw_times = {**order.raw_times, **new}
    return True


def _keep_all_beside(order: Order, rental: Rental, now: datetime) -> None:
    note_difference(order, "phone", rental.phone, now)
    for name in SECRET:
        stated = getattr(rental, name)
        if stated and not _stands(order, name, stated):
            _keep_beside(order, name, stated, now)


def _fill_plain(order: Order, name: str, stated: object, now: datetime) -> None:
    standing = getattr(order, name)
    if standing in (None, ""):
        setattr(order, name, stated)
    elif standing != stated:
        note_difference(order, name, str(stated), now)


def _is_its_number(order: Order, rental: Rental) -> bool:
    """However it is written: with a plus sign or without, in groups, with a leading zero."""
    if not (order.phone and rental.phone) or order.phone == rental.phone:
        return True
    ours, theirs = _digits(order.phone), _digits(rental.phone)
    shorter, longer = sorted((ours, theirs), key=len)
    return len(shorter) >= FEWEST_DIGITS and longer.endswith(shorter)


def _digits(phone: str) -> str:
    return "".join(filter(str.isdecimal, phone)).lstrip("0")


def _fill_secret(order: Order, name: str, stated: str, now: datetime) -> None:
    if not getattr(order, name):
        setattr(order, name, Secret(stated))
        if order.sms_at is None:
            order.sms_at = now
    elif not _stands(order, name, stated):
        _keep_beside(order, name, stated, now)


def _stands(order: Order, name: str, stated: str) -> bool:
    standing: Secret | None = getattr(order, name) or None
    if standing is None:
        return False
    try:
        return standing.reveal() == stated
    except UnreadableSecret:
        # No key opens it any more, so nothing can be compared with it.
        return True


def kept_beside(order: Order) -> list[dict[str, str]]:
    """The codes and texts that differ: [{"field", "value", "at"}], oldest first."""
    if not order.differing_texts:
        return []
    try:
        kept: list[dict[str, str]] = json.loads(order.differing_texts.reveal())
    except UnreadableSecret:
        return []
    return kept


def _keep_beside(order: Order, name: str, stated: str, now: datetime) -> None:
    kept = kept_beside(order)
    if any((one["field"], one["value"]) == (name, stated) for one in kept):
        return
    if len(kept) < MOST_KEPT:
        kept = [*kept, {"field": name, "value": stated, "at": now.isoformat()}]
        order.differing_texts = Secret(json.dumps(kept))
    note_difference(order, name, "", now)


def note_difference(order: Order, name: str, value: str, now: datetime) -> None:
    order.conflict = True
    if any((one["field"], one.get("value", "")) == (name, value) for one in order.differing):
        return
    if len(order.differing) < MOST_KEPT:
        one = {"field": name, "at": now.isoformat(), **({"value": value} if value else {})}
        order.differing = [*order.differing, one]
