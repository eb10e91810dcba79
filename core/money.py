"""Parses amounts that providers state. They have no currency, because no provider gives one."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

PLACES: Final = 4
"""Decimal places of every stored amount, of 14 digits in total."""
CEILING: Final = Decimal(10) ** 10
_BINARY_NOISE: Final = Decimal("1e-14")
"""Relative. A few times the spacing of binary numbers, so that sums of several are covered."""
_STEP: Final = Decimal(1).scaleb(-PLACES)
_NUMBER: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,2})?")
"""`Decimal` itself also accepts full-width digits, underscores, "NaN" and spaces."""


def parse_amount(value: object) -> Decimal:
    """Parse a JSON number, or a string that holds one, into a storable amount.

    An amount has at most 14 digits, 4 of them decimals. It is exact: one with more decimals is not
    rounded but refused. The noise of providers that calculate in binary (0.30000000000000004) is no
    decimal. Fewer decimals are kept as stated. Raises `ValueError` for anything else, including
    true and false.
    """
    stated = _stated(value)
    if not stated.is_finite() or abs(stated) >= CEILING:
        raise ValueError("an amount out of range")
    exponent = stated.as_tuple().exponent
    if isinstance(exponent, int) and not -PLACES <= exponent <= 0:
        exact = stated.quantize(_STEP, rounding=ROUND_HALF_EVEN)
        if abs(stated - exact) > abs(exact) * _BINARY_NOISE:
            raise ValueError("an amount with more decimals than can be kept")
        stated = exact
    if abs(stated) >= CEILING:
        raise ValueError("an amount out of range")
    return stated if stated else abs(stated)


def _stated(value: object) -> Decimal:
    match value:
        case bool():
            raise ValueError("a boolean is not an amount")
        case int() | Decimal():
            return Decimal(value)
        case float():
            return _read(repr(value))
        case str():
            return _read(value)
        case _:
            raise ValueError("not an amount")


def _read(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError("not an amount")
    return Decimal(text)
