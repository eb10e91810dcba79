"""Read the phone number of a cell, or say why there is none."""

from __future__ import annotations

import re
from typing import Final

from core.phones.parse import PhoneError, PhoneNumber, PhoneProblem, parse_number

from .empty_words import is_empty_word
from .names import unwrapped
from .shortened import is_shortened

THOUSANDS: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3}){2,}")
"""13,912,345,678: a column of numbers that a spreadsheet shows in groups."""


def read_number(cell: str, home_country: str) -> PhoneNumber:
    """Raises `PhoneError`."""
    try:
        return parse_number(cell, home_country)
    except PhoneError as error:
        plain = unwrapped(cell.strip())
        if THOUSANDS.fullmatch(plain):
            plain = plain.replace(",", "")
        if plain != cell.strip():
            return parse_number(plain, home_country)
        if is_empty_word(cell):
            raise PhoneError(PhoneProblem.EMPTY, cell) from None
        if is_shortened(cell):
            raise PhoneError(PhoneProblem.SHORTENED, cell) from None
        raise error from None
