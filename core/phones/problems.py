"""Reasons why a text is not a phone number."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import phonenumbers


class PhoneProblem(StrEnum):
    """Why a text is not a phone number. `messaging.recipients` explains each to staff."""

    EMPTY = "empty"
    LETTER = "letter"
    """A letter, at `position`."""
    CHARACTER = "character"
    """Another character that no number contains, at `position`."""
    FOREIGN_DIGITS = "foreign_digits"
    """Digits of two scripts in one number, so it was hardly typed as one."""
    TWO_NUMBERS = "two_numbers"
    SHORTENED = "shortened"
    """A spreadsheet shortened the number to 1.39E+10, so its digits are lost."""
    DECIMAL = "decimal"
    """A decimal point or comma that may or may not separate groups of digits."""
    EXTENSION = "extension"
    """An extension of an office: no SMS reaches it."""
    NORTH_AMERICA = "north_america"
    """Grouped as in North America, 1 (305) 555-1234, but without a plus sign."""
    NO_AREA = "no_area"
    """+1 and an area code that North America does not have, as in +1 391 234 5678."""
    NO_PLUS = "no_plus"
    """No number of the home country, but one of `country` if a plus sign preceded it."""
    HOME_CODE = "home_code"
    """A number of the home country both with and without its country code in front."""
    DIGITS = "digits"
    """The number has `digits` digits; the country's numbers have exactly `expected`."""
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NOT_MOBILE = "not_mobile"
    """The right length for China, but not a mobile prefix."""
    SERVICE = "service"
    UNKNOWN_COUNTRY = "unknown_country"


class PhoneError(ValueError):
    """The text is not a phone number.

    `position` counts from 1 in the text as typed. `digits` excludes the country code. `country` is
    an ISO 3166-1 alpha-2 code.
    """

    def __init__(
        self,
        kind: PhoneProblem,
        typed: str,
        *,
        position: int | None = None,
        digits: int | None = None,
        expected: int | None = None,
        country: str | None = None,
    ) -> None:
        super().__init__(f"not a phone number: {kind}")
        self.kind = kind
        self.typed = typed
        self.position = position
        self.digits = digits
        self.expected = expected
        self.country = country


IMPOSSIBLE: Final = {
    phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: PhoneProblem.UNKNOWN_COUNTRY,
    phonenumbers.ValidationResult.TOO_LONG: PhoneProblem.TOO_LONG,
    phonenumbers.ValidationResult.INVALID_LENGTH: PhoneProblem.TOO_LONG,
    phonenumbers.ValidationResult.TOO_SHORT: PhoneProblem.TOO_SHORT,
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: PhoneProblem.TOO_SHORT,
}

UNPARSABLE: Final = {
    phonenumbers.NumberParseException.INVALID_COUNTRY_CODE: PhoneProblem.UNKNOWN_COUNTRY,
    phonenumbers.NumberParseException.TOO_LONG: PhoneProblem.TOO_LONG,
}
"""What libphonenumber finds wrong, in our terms."""
