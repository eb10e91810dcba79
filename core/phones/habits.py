"""Countries' own ways to write a number that libphonenumber takes for another one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import phonenumbers

_ARGENTINA: Final = 54
_MEXICO: Final = 52
_MEXICAN_PREFIX: Final = re.compile(r"(?:044|045|01|1)([1-9][0-9]{9})")
"""Until 2019 Mexico's mobile numbers had a 1 after the country code, or one of the prefixes."""
_ARGENTINE_LOCAL: Final = re.compile(r"15[0-9]{6,8}")
"""A mobile number without its area code."""


def local_writing(parsed: phonenumbers.PhoneNumber) -> phonenumbers.PhoneNumber:
    """The number without prefixes that its country uses at home only.

    The number itself, unless it is in no known range and exactly one other reading is. Raises
    `NumberParseException` if its area code is missing.
    """
    digits = phonenumbers.national_significant_number(parsed)
    code = parsed.country_code
    if not digits.startswith("0") and code not in (_ARGENTINA, _MEXICO):
        return parsed
    if phonenumbers.is_valid_number(parsed):
        return parsed
    readings = dict.fromkeys(_readings(code, digits))
    known = [
        number
        for number in (_number(code, reading) for reading in readings)
        if number is not None and phonenumbers.is_valid_number(number)
    ]
    if len(known) == 1:
        return known[0]
    if code == _ARGENTINA and _ARGENTINE_LOCAL.fullmatch(digits):
        raise phonenumbers.NumberParseException(
            phonenumbers.NumberParseException.TOO_SHORT_NSN, "without its area code"
        )
    return parsed


def _readings(code: int | None, digits: str) -> Iterator[str]:
    if digits.startswith("0"):
        yield digits.lstrip("0")
    if code == _MEXICO and (found := _MEXICAN_PREFIX.fullmatch(digits)):
        yield found[1]
    if code == _ARGENTINA and digits.startswith("9"):
        # With both the 9 of an international and the 15 of a national call.
        yield digits[1:]


def _number(code: int | None, digits: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(f"+{code}{digits}", None)
    except phonenumbers.NumberParseException:
        return None
