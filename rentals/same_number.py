"""Whether two writings of a phone number are one number, and which open orders share one."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import phonenumbers
from django.db.models import QuerySet

from core.admin.exact_search import keys_of
from providers import clock

from .models import Order
from .states import OPEN, OrderState

MIN_COMMON_DIGITS: Final = 6
"""Trailing digits that two writings must share to be the same number."""
MAX_PREFIX: Final = 3
"""Digits of a country code. Zeros in front are not counted."""
RUNNING: Final = OPEN | {OrderState.RECEIVED}
MOST_RUNNING: Final = 10_000
_MASK: Final = re.compile(r"[*•·xX●]+")
_TRUNK: Final = re.compile(r"\(0\)")


def number_key(phone: str, region: str) -> str:
    """The digits with their country code, whatever the writing; empty without any digit.

    A number without a country code belongs to the order's `region`.
    """
    text = _TRUNK.sub("", unicodedata.normalize("NFKC", phone)).strip()
    digits = "".join(filter(str.isdecimal, text))
    if not digits or text.startswith("+"):
        return digits
    if digits.startswith("00"):
        return digits.lstrip("0")
    code = phonenumbers.country_code_for_region(region.strip().upper())
    if not code or (digits.startswith(str(code)) and len(digits) > len(str(code)) + 8):
        return digits.lstrip("0")
    return f"{code}{digits.lstrip('0')}"


def is_same_number(one: str, other: str, region: str) -> bool:
    """Whether both are one number: with or without plus sign, country code, zeros and blanks.

    Some lists mask the middle of a number that the answer to the order has in full.
    """
    if one == other or _masks(one, other) or _masks(other, one):
        return True
    keys = number_key(one, region), number_key(other, region)
    shorter, longer = sorted((_digits(one), _digits(other)), key=len)
    return bool(keys[0]) and (
        keys[0] == keys[1]
        or (
            len(shorter) > MIN_COMMON_DIGITS
            and longer.endswith(shorter)
            and len(longer) - len(shorter) <= MAX_PREFIX
        )
    )


def _masks(masked: str, full: str) -> bool:
    """Whether `masked` hides the middle of `full`: +62812****7890."""
    parts = _MASK.split(masked)
    if len(parts) != 2 or _MASK.search(full):
        return False
    head, tail = map(_digits, parts)
    digits = _digits(full)
    return (
        len(head) + len(tail) in range(MIN_COMMON_DIGITS, len(digits))
        and digits.startswith(head)
        and digits.endswith(tail)
    )


def may_be_same_number(one: str, other: str) -> bool:
    """Whether one writing may be the end of the other."""
    shorter, longer = sorted((_digits(one), _digits(other)), key=len)
    return len(shorter) >= MIN_COMMON_DIGITS and longer.endswith(shorter)


def _digits(phone: str) -> str:
    return "".join(filter(str.isdecimal, unicodedata.normalize("NFKC", phone))).lstrip("0")


def running_orders() -> QuerySet[Order]:
    """Orders whose number may still receive an SMS."""
    # Two questions, since each has an index and both at once none.
    keys = keys_of(
        Order.objects.filter(state__in=sorted(OPEN)),
        Order.objects.filter(state=OrderState.RECEIVED, expires_at__gt=clock.now()),
        most=MOST_RUNNING,
    )
    return Order.objects.filter(pk__in=keys).exclude(phone="")


class RunningNumbers:
    """The running orders by their number, read with one query.

    `wanted`: the orders to compare with them. Without any of a number, nothing is read.
    """

    def __init__(self, wanted: Iterable[Order]) -> None:
        self._by_key: dict[str, list[Order]] = defaultdict(list)
        if not any(order.phone for order in wanted):
            return
        running = running_orders().only("public_id", "phone", "region", "provider_id", "account_id")
        for one in running.order_by("pk"):
            self._by_key[number_key(one.phone, one.region)].append(one)

    def with_number_of(self, order: Order) -> list[Order]:
        """The running orders with the number of an order, which may be one of them."""
        key = number_key(order.phone, order.region)
        return self._by_key.get(key, []) if key else []

    def others(self, order: Order) -> list[Order]:
        """The other orders that wait for an SMS to the number of a running order."""
        found = self.with_number_of(order)
        is_running = any(one.pk == order.pk for one in found)
        return [one for one in found if one.pk != order.pk] if is_running else []


def others_with_number(order: Order) -> list[Order]:
    """The other running orders with the number of a running order."""
    return RunningNumbers([order]).others(order) if order.state in RUNNING else []
