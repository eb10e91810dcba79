"""Parses phone numbers in any notation into E.164, or rejects them with a reason."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NoReturn

import phonenumbers

MAX_TYPED_LENGTH: Final = 100
MAX_E164_DIGITS: Final = 15
"""The limit of ITU-T E.164. libphonenumber accepts a few longer numbers."""
CHINESE_DIGITS: Final = 11
DOT: Final = "•"

_CHINESE_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_CHINESE_PLAIN: Final = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")
"""The usual notation. Parsed without libphonenumber, because files hold 100,000 numbers."""
_CHINESE_SERVICE: Final = re.compile(r"106[0-9]*|1[0-2][0-9]{1,4}|9[56][0-9]{3,6}")
"""Bulk sender numbers (106…) and short numbers (110, 12306, 10086, 95588)."""
_BETWEEN_NUMBERS: Final = re.compile(r"[,;/|&\n\r\t、]|(?<=[0-9])\s*(?=\+)")
_SHORTENED: Final = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,2}")
_SEPARATORS: Final = frozenset("-.()[]{}·‐‑‒–—―−")


class PhoneProblem(StrEnum):
    """Why a text is not a phone number. `messaging.recipients` explains each to staff."""

    EMPTY = "empty"
    LETTER = "letter"
    """A letter, at `position`."""
    CHARACTER = "character"
    """Another character that no number contains, at `position`."""
    FOREIGN_DIGITS = "foreign_digits"
    """Digits of another script (Arabic, Thai …), which the parser does not interpret."""
    TWO_NUMBERS = "two_numbers"
    SHORTENED = "shortened"
    """A spreadsheet shortened the number to 1.39E+10, so its digits are lost."""
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

    `position` counts from 1 in the text as typed. `digits` excludes the country code.
    """

    def __init__(
        self,
        kind: PhoneProblem,
        typed: str,
        *,
        position: int | None = None,
        digits: int | None = None,
        expected: int | None = None,
    ) -> None:
        super().__init__(f"not a phone number: {kind}")
        self.kind = kind
        self.typed = typed
        self.position = position
        self.digits = digits
        self.expected = expected


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    e164: str
    country: str
    """ISO 3166-1 alpha-2."""
    calling_code: str
    """The country code without a plus sign."""
    significant: str
    """The digits after the country code, without the trunk prefix 0."""

    @property
    def unusual(self) -> bool:
        """Whether the number is possible but in no known range. A warning, not an error.

        Computed on demand, because it takes longer than parsing.
        """
        return not phonenumbers.is_valid_number(phonenumbers.parse(self.e164))

    @property
    def international(self) -> str:
        """Grouped with the country code: +86 139 1234 5678."""
        return f"+{self.calling_code} {' '.join(self._groups())}"

    @property
    def national(self) -> str:
        """Grouped as dialled within the country."""
        if self.country == "CN":
            return " ".join(self._groups())
        parsed = phonenumbers.parse(self.e164)
        return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL))

    @property
    def masked(self) -> str:
        """Country code, first group and last four digits: +86 139 •••• 5678."""
        first = self._groups()[0]
        tail = self.significant[-4:] if len(self.significant) >= 7 else self.significant[-2:]
        if len(self.significant) - len(first) - len(tail) < 3:
            first = ""
        hidden = DOT * (len(self.significant) - len(first) - len(tail))
        return " ".join(part for part in (f"+{self.calling_code}", first, hidden, tail) if part)

    def _groups(self) -> list[str]:
        if self.country == "CN":
            return [self.significant[:3], self.significant[3:7], self.significant[7:]]
        parsed = phonenumbers.parse(self.e164)
        grouped = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        groups = re.findall(r"[0-9]+", grouped)[1:]
        return groups if "".join(groups) == self.significant else [self.significant]


def parse_number(typed: str, home_country: str = "CN") -> PhoneNumber:
    """Parse a typed number. Without a country code, it belongs to `home_country`.

    Raises `PhoneError`.
    """
    if home_country == "CN" and (plain := _CHINESE_PLAIN.fullmatch(typed)):
        return _chinese_mobile(plain[1])
    dialled = _extract_digits(typed)
    if dialled.startswith("+"):
        abroad = dialled[1:]
    elif dialled.startswith("00"):
        abroad = dialled[2:]
    elif home_country != "CN":
        return _parse_foreign(typed, dialled, home_country)
    else:
        with_code = dialled.startswith("86") and len(dialled) > CHINESE_DIGITS
        return _parse_chinese(typed, dialled[2:] if with_code else dialled)
    if abroad.startswith("86"):
        return _parse_chinese(typed, abroad[2:])
    return _parse_foreign(typed, f"+{abroad}", None)


def search_key(typed: str, home_country: str = "CN") -> str | None:
    """The E.164 form if the text is one complete number in any notation, else None.

    Providers and journals write the country code without a plus sign. Digits that are not a number
    in `home_country` are therefore tried as a foreign number.
    """
    try:
        return parse_number(typed, home_country).e164
    except PhoneError:
        pass
    try:
        found = parse_number(f"+{_extract_digits(typed).removeprefix('+')}", home_country)
    except PhoneError:
        return None
    return None if found.unusual else found.e164


def mask(text: str) -> str:
    """A stored number in masked form. Any other text is masked, too. Never raises."""
    try:
        return parse_number(text).masked
    except PhoneError:
        shown = text[-2:] if len(text) > 5 else ""
        return DOT * min(len(text) - len(shown), 12) + shown


def grouped(text: str) -> str:
    """A stored number in groups. Any other text is unchanged. Never raises."""
    try:
        return parse_number(text).international
    except PhoneError:
        return text


def _extract_digits(typed: str) -> str:
    """The ASCII digits, after at most one plus sign. Raises `PhoneError`."""
    if len(typed) > MAX_TYPED_LENGTH:
        raise PhoneError(PhoneProblem.TOO_LONG, typed)
    folded = "".join(_fold(character) for character in typed)
    _reject_several(typed, folded)
    if _SHORTENED.fullmatch(folded.strip()):
        raise PhoneError(PhoneProblem.SHORTENED, typed)
    kept: list[str] = []
    for position, character in enumerate(folded, start=1):
        if character in "0123456789" or (character == "+" and not kept):
            kept.append(character)
        elif not (_is_blank(character) or (character == "'" and not kept)):
            # Spreadsheets mark a number as text by a leading apostrophe.
            _reject_character(typed, position, character)
    if not any(character != "+" for character in kept):
        raise PhoneError(PhoneProblem.EMPTY, typed)
    return "".join(kept)


def _fold(character: str) -> str:
    """Convert full-width forms only: full NFKC would turn ² and ① into digits."""
    if "\uff01" <= character <= "\uff5e" or character == "\u3000":
        return unicodedata.normalize("NFKC", character)
    return character


def _is_blank(character: str) -> bool:
    return (
        character in _SEPARATORS
        or character.isspace()
        or unicodedata.category(character) in ("Cf", "Zs")
    )


def _reject_several(typed: str, folded: str) -> None:
    parts = _BETWEEN_NUMBERS.split(folded)
    if sum(_digits_in(part) >= 7 for part in parts) < 2:
        words = folded.split()
        if sum(_digits_in(word) >= 10 for word in words) < 2:
            return
    raise PhoneError(PhoneProblem.TWO_NUMBERS, typed)


def _digits_in(text: str) -> int:
    return len(re.findall(r"[0-9]", text))


def _reject_character(typed: str, position: int, character: str) -> NoReturn:
    category = unicodedata.category(character)
    kind = PhoneProblem.CHARACTER
    if category == "Nd":
        kind = PhoneProblem.FOREIGN_DIGITS
    elif category.startswith("L"):
        kind = PhoneProblem.LETTER
    raise PhoneError(kind, typed, position=position)


def _parse_chinese(typed: str, digits: str) -> PhoneNumber:
    if _CHINESE_MOBILE.fullmatch(digits):
        return _chinese_mobile(digits)
    if _CHINESE_SERVICE.fullmatch(digits):
        raise PhoneError(PhoneProblem.SERVICE, typed, digits=len(digits))
    kind = PhoneProblem.NOT_MOBILE if len(digits) == CHINESE_DIGITS else PhoneProblem.DIGITS
    raise PhoneError(kind, typed, digits=len(digits), expected=CHINESE_DIGITS)


def _chinese_mobile(digits: str) -> PhoneNumber:
    # libphonenumber's own pattern lags behind the ranges that China assigns.
    return PhoneNumber(f"+86{digits}", "CN", "86", digits)


_IMPOSSIBLE: Final = {
    phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: PhoneProblem.UNKNOWN_COUNTRY,
    phonenumbers.ValidationResult.TOO_LONG: PhoneProblem.TOO_LONG,
    phonenumbers.ValidationResult.INVALID_LENGTH: PhoneProblem.TOO_LONG,
    phonenumbers.ValidationResult.TOO_SHORT: PhoneProblem.TOO_SHORT,
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: PhoneProblem.TOO_SHORT,
}

_UNPARSABLE: Final = {
    phonenumbers.NumberParseException.INVALID_COUNTRY_CODE: PhoneProblem.UNKNOWN_COUNTRY,
    phonenumbers.NumberParseException.TOO_LONG: PhoneProblem.TOO_LONG,
}


def _parse_foreign(typed: str, dialled: str, home_country: str | None) -> PhoneNumber:
    try:
        parsed = phonenumbers.parse(dialled, home_country)
    except phonenumbers.NumberParseException as error:
        kind = _UNPARSABLE.get(error.error_type, PhoneProblem.TOO_SHORT)
        raise PhoneError(kind, typed) from None
    significant = phonenumbers.national_significant_number(parsed)
    if parsed.country_code == 86:
        return _parse_chinese(typed, significant)
    verdict = phonenumbers.is_possible_number_with_reason(parsed)
    if verdict in _IMPOSSIBLE:
        raise PhoneError(_IMPOSSIBLE[verdict], typed, digits=len(significant))
    if len(f"{parsed.country_code}{significant}") > MAX_E164_DIGITS:
        raise PhoneError(PhoneProblem.TOO_LONG, typed, digits=len(significant))
    country = _country_of(parsed)
    if country == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY:
        # +800 and the like belong to no country, so no list of allowed countries covers them.
        raise PhoneError(PhoneProblem.UNKNOWN_COUNTRY, typed)
    return PhoneNumber(
        f"+{parsed.country_code}{significant}",
        country,
        str(parsed.country_code),
        significant,
    )


def _country_of(parsed: phonenumbers.PhoneNumber) -> str:
    exact = phonenumbers.region_code_for_number(parsed)
    return str(exact or phonenumbers.region_code_for_country_code(parsed.country_code or 0))
