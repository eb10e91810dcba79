"""Amounts as providers state them, made safe to store. No currency: none of them gives one."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

PLACES: Final = 4
"""Decimal places of every stored amount; fourteen digits in all."""
CEILING: Final = Decimal(10) ** 10
_STEP: Final = Decimal(1).scaleb(-PLACES)
_NUMBER: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,2})?")
"""`Decimal` itself would also take full-width digits, underscores, "NaN" and spaces."""


def parse_amount(value: object) -> Decimal:
    """A JSON number, or a string that holds one, as an amount of at most 14 digits, 4 of
    them decimals.

    More decimals are rounded: they come from providers that calculate in binary
    (0.30000000000000004). Fewer stay as they were stated. Raises `ValueError` for all
    else, true and false among it.
    """
    stated = _stated(value)
    if not stated.is_finite() or abs(stated) >= CEILING:
        raise ValueError("an amount out of range")
    exponent = stated.as_tuple().exponent
    if isinstance(exponent, int) and not -PLACES <= exponent <= 0:
        stated = stated.quantize(_STEP, rounding=ROUND_HALF_EVEN)
    if abs(stated) >= CEILING:
        raise ValueError("an amount out of range")
    return stated if stated else abs(stated)


def _stated(value: object) -> Decimal:
    match value:
        case bool():
            raise ValueError("a truth value is no amount")
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
