"""Store the fields that a provider states about an order.

The first code, text, time and price stay. A later answer without them removes nothing. A value
that differs is kept beside the first, and the order is flagged as a conflict.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from core.fields import UnreadableSecret
from core.phones.erased import is_erased
from core.secrets import Secret
from providers.gateway.vocabulary import Rental
from providers.gateway.words import plain

from .models import FoundOrder, Order
from .same_number import is_same_number, may_be_same_number

SECRET: Final = ("code", "content")
PLAIN: Final = {
    "phone": "phone",
    "price": "price",
    "created_there": "created_at",
    "expires_there": "expires_at",
    "received_there": "received_at",
}
"""Our field to the field of the answer."""
MAX_KEPT: Final = 20
"""Differing values kept per order, so that a provider that keeps changing them cannot fill the
table."""
SAME_TIME: Final = timedelta(seconds=1)
"""Some answers state fractions of a second, and others of the same provider do not."""
_BETWEEN_DIGITS: Final = re.compile(r"[\s-]")


def known_part(row: Order | FoundOrder, rental: Rental) -> Rental:
    """What an answer may still add: nothing about an erased number, and no SMS that was cleared."""
    if is_erased(row.phone):
        return replace(rental, phone="", code="", content="")
    is_cleared = isinstance(row, Order) and row.sms_at and not (row.code or row.content)
    return replace(rental, code="", content="") if is_cleared else rental


def fill(order: Order, rental: Rental, now: datetime) -> bool:
    """Store what the answer states. `order` is changed but not saved.

    False: the answer is about another number than the rented one. Its SMS may be anybody's, so the
    answer is only kept beside the order, and the order is flagged.
    """
    rental = known_part(order, rental)
    if not _is_its_number(order, rental):
        _keep_mismatched_answer(order, rental, now)
        return False
    for ours, theirs in PLAIN.items():
        stated = getattr(rental, theirs)
        if stated not in (None, ""):
            _fill_plain(order, ours, stated, now)
    for name in SECRET:
        stated = getattr(rental, name)
        if stated:
            _fill_secret(order, name, stated, now)
    if rental.state_word and rental.state_word != order.provider_state:
        order.provider_state = rental.state_word
    new = {k: v for k, v in rental.raw_times.items() if k not in order.raw_times}
    if new:
        order.raw_times = {**order.raw_times, **new}
    return True


def _keep_mismatched_answer(order: Order, rental: Rental, now: datetime) -> None:
    record_difference(order, "phone", rental.phone, now)
    for name in SECRET:
        stated = getattr(rental, name)
        if stated and not _is_current(order, name, stated):
            _keep_conflicting_text(order, name, stated, now)


def _fill_plain(order: Order, name: str, stated: object, now: datetime) -> None:
    current = getattr(order, name)
    if current in (None, ""):
        setattr(order, name, stated)
    elif current != stated and not _says_the_same(order, current, stated):
        record_difference(order, name, str(stated), now)


def _says_the_same(order: Order, current: object, stated: object) -> bool:
    """Whether two values are one number or one time in different writings."""
    if isinstance(current, datetime) and isinstance(stated, datetime):
        return abs(current - stated) < SAME_TIME
    if isinstance(current, str) and isinstance(stated, str):
        return is_same_number(current, stated, order.region)
    return False


def _is_its_number(order: Order, rental: Rental) -> bool:
    """Compare numbers in any writing, and numbers of which one writing lacks the beginning."""
    if not (order.phone and rental.phone):
        return True
    return is_same_number(order.phone, rental.phone, order.region) or may_be_same_number(
        order.phone, rental.phone
    )


def _fill_secret(order: Order, name: str, stated: str, now: datetime) -> None:
    if not getattr(order, name):
        setattr(order, name, Secret(stated))
        if order.sms_at is None:
            order.sms_at = now
    elif not _is_current(order, name, stated):
        _keep_conflicting_text(order, name, stated, now)


def states_other_code(order: Order, rental: Rental) -> bool:
    """Whether an answer has another code than the first one, such as that of a second SMS."""
    return bool(rental.code and order.code) and not _is_current(order, "code", rental.code or "")


def _is_current(order: Order, name: str, stated: str) -> bool:
    current: Secret | None = getattr(order, name) or None
    if current is None:
        return False
    try:
        return _comparable(name, current.reveal()) == _comparable(name, stated)
    except UnreadableSecret:
        # No key decrypts the stored value, so the two cannot be compared.
        return True


def _comparable(name: str, text: str) -> str:
    """A code without the blanks and hyphens that only group it; a text in ordinary width."""
    return _BETWEEN_DIGITS.sub("", plain(text)) if name == "code" else plain(text)


def conflicting_texts(order: Order) -> list[dict[str, str]]:
    """The differing codes and texts, oldest first: [{"field", "value", "at"}]."""
    if not order.differing_texts:
        return []
    try:
        kept: list[dict[str, str]] = json.loads(order.differing_texts.reveal())
    except UnreadableSecret:
        return []
    return kept


def _keep_conflicting_text(order: Order, name: str, stated: str, now: datetime) -> None:
    kept = conflicting_texts(order)
    if any((one["field"], one["value"]) == (name, stated) for one in kept):
        return
    if len(kept) < MAX_KEPT:
        kept = [*kept, {"field": name, "value": stated, "at": now.isoformat()}]
        order.differing_texts = Secret(json.dumps(kept))
    record_difference(order, name, "", now)


def record_difference(order: Order, name: str, value: str, now: datetime) -> None:
    """Flag the order and keep a differing value once. `value` is empty for codes and texts."""
    order.conflict = True
    if any((one["field"], one.get("value", "")) == (name, value) for one in order.differing):
        return
    if len(order.differing) < MAX_KEPT:
        one = {"field": name, "at": now.isoformat(), **({"value": value} if value else {})}
        order.differing = [*order.differing, one]
