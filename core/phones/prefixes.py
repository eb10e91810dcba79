"""Whether any phone number can begin with some digits."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Final

from .parse import MAX_E164_DIGITS, MIN_E164_DIGITS, parse_number
from .problems import PhoneError

FREE: Final = 3
"""How many of the digits after the prefix decide about a number: no country code, and no area code
that is checked, is longer."""
REST: Final = "2345678923456789"


@lru_cache(maxsize=200)
def begins_a_number(prefix: str) -> bool:
    """`prefix`: + and digits. Only numbers that are longer than it count.

    It tries numbers, so that the answer is the one that recipients get when they are stored.
    """
    shortest = max(len(prefix), MIN_E164_DIGITS)
    return any(
        _is_stored_so(f"{prefix}{''.join(free)}{REST}"[: length + 1], prefix)
        for length in range(shortest, MAX_E164_DIGITS + 1)
        for free in product("1234567890", repeat=min(FREE, length + 1 - len(prefix)))
    )


def _is_stored_so(typed: str, prefix: str) -> bool:
    try:
        number = parse_number(typed)
    except PhoneError:
        return False
    # The parser keeps a trunk prefix 0 in numbers that are too short without it.
    is_odd = number.significant.startswith("0") and number.unusual
    return number.e164.startswith(prefix) and not is_odd
