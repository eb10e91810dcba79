"""Tell the decimal point of a number that a spreadsheet or a program wrote from a separator.

Programs keep phone numbers as decimal numbers and write 13912345678.0. If that zero counted as a
digit, the message would go to a stranger. A text that may be either is therefore refused.
"""

from __future__ import annotations

import re
from typing import Final

_WITH_LAST_GROUP: Final = re.compile(r"(.*[0-9])([.,])([0-9]+)", re.DOTALL)
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(?:([., '’\u00a0\u2009\u202f])[0-9]{3})(?:\1[0-9]{3})*")
_GROUPED_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(?:([,'’])[0-9]{3})(?:\1[0-9]{3})*")
_ONE_RUN: Final = re.compile(r"[0-9]+")
_LAST_DIGITS: Final = re.compile(r"[0-9]+$")
_SHORTENED: Final = re.compile(r"(\+?[0-9]+)(?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})")
_LONGEST_DECIMALS: Final = 2
_LONGEST_ZEROS: Final = 3
_SHORTEST_LONG_GROUP: Final = 3
"""Digits. Numbers written in pairs end in 00 as in any other pair."""
_SHORTEST_NUMBER: Final = 8
"""Digits. No first group of a number is this long, so a point behind it is a decimal point."""


class Ambiguous(ValueError):
    """The last point or comma may be a decimal one, so the digits are not certain."""


class Shortened(ValueError):
    """The scientific notation has fewer digits than the number."""


def plain_number(written: str) -> str:
    """The number without decimals and thousands separators; other separators stay.

    `written` has ASCII digits, no blanks around it, and perhaps a plus sign in front. Raises
    `Ambiguous` or `Shortened`.
    """
    scientific = _SHORTENED.fullmatch(written)
    if scientific:
        return _digits_of(scientific)
    plus, number = ("+", written[1:]) if written.startswith("+") else ("", written)
    found = _WITH_LAST_GROUP.fullmatch(number)
    if found and _is_decimal(found[1], found[2], found[3]):
        number = found[1]
    grouped = _GROUPED_THOUSANDS.fullmatch(number)
    if grouped:
        number = number.replace(grouped[1], "")
    return plus + number


def _digits_of(scientific: re.Match[str]) -> str:
    whole, fraction, exponent = scientific[1], scientific[2] or "", int(scientific[3])
    if len(fraction) < exponent:
        raise Shortened
    if fraction[exponent:].strip("0"):
        raise Ambiguous
    return whole + fraction[:exponent]


def _is_decimal(head: str, sign: str, tail: str) -> bool:
    """Whether `sign` is a decimal point. Raises `Ambiguous` if it may be one."""
    zeros = not tail.strip("0")
    short = len(tail) <= _LONGEST_DECIMALS
    if _ONE_RUN.fullmatch(head):
        if not short and len(head) < _SHORTEST_NUMBER:
            return _unless(zeros, False)
        return _unless(not zeros, True)
    if sign in head:
        return _unless(sign == "." and _ends_like_decimals(head, tail, zeros), False)
    thousands = _THOUSANDS.fullmatch(head)
    if thousands and (short or thousands[1] in ",."):
        return _unless(not zeros, True)
    return _unless(zeros or short, False)


def _unless(ambiguous: bool, verdict: bool) -> bool:
    if ambiguous:
        raise Ambiguous
    return verdict


def _ends_like_decimals(head: str, tail: str, zeros: bool) -> bool:
    """Whether a long group precedes the last group: 81.234.567.00, but not 06.12.34.56.00."""
    last = _LAST_DIGITS.search(head)
    after_long_group = last is not None and len(last[0]) >= _SHORTEST_LONG_GROUP
    return len(tail) == 1 or (zeros and len(tail) <= _LONGEST_ZEROS and after_long_group)
