"""Parses phone numbers in any notation into E.164, or rejects them with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import phonenumbers

from .erased import is_erased
from .habits import local_writing
from .north_america import AREA_DIGITS, CALLING_CODE, has_area
from .notation import MAX_TYPED_LENGTH, Writing, read_writing
from .problems import IMPOSSIBLE, UNPARSABLE, PhoneError, PhoneProblem

__all__ = [
    "MAX_TYPED_LENGTH",
    "PhoneError",
    "PhoneNumber",
    "PhoneProblem",
    "grouped",
    "mask",
    "parse_number",
    "parse_with_country_code",
    "search_key",
]

MAX_E164_DIGITS: Final = 15
"""The limit of ITU-T E.164. libphonenumber accepts a few longer numbers."""
MIN_E164_DIGITS: Final = 7
"""Country code included. The shortest mobile numbers, of Niue and Tokelau, have as many;
libphonenumber accepts shorter ones in Austria and Germany."""
CHINESE_DIGITS: Final = 11
DOT: Final = "•"

_CHINESE_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")
_CHINESE_PLAIN: Final = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")
"""The usual notation. Parsed without libphonenumber, because files hold 100,000 numbers."""
_CHINESE_TRUNK: Final = re.compile(r"0(?:86)?(1[3-9][0-9]{9})")
"""Long-distance dialling within China, and 086, a wrong but unambiguous writing of +86."""
_CHINESE_SERVICE: Final = re.compile(r"106[0-9]*|1[0-2][0-9]{1,4}|9[56][0-9]{3,6}")
"""Bulk sender numbers (106…) and short numbers (110, 12306, 10086, 95588)."""


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

    Raises `PhoneError`. A writing that two countries read differently is refused.
    """
    if home_country == "CN" and (plain := _CHINESE_PLAIN.fullmatch(typed)):
        return _chinese_mobile(plain[1])
    writing = read_writing(typed)
    number = _parse_written(typed, writing, home_country)
    if writing.decimals and (number.unusual or _is_number_without(writing, home_country)):
        raise PhoneError(PhoneProblem.DECIMAL, typed)
    return number


def _is_number_without(writing: Writing, home_country: str) -> bool:
    """Whether the digits before the decimals are a number, too: then either may be meant."""
    before = replace(writing, digits=writing.digits[: -writing.decimals], decimals=0)
    try:
        return not _parse_written(before.digits, before, home_country).unusual
    except PhoneError:
        return False


def _parse_written(typed: str, writing: Writing, home_country: str) -> PhoneNumber:
    if writing.international:
        return _parse_abroad(typed, writing.digits)
    if writing.digits.startswith("00"):
        return _parse_abroad(typed, writing.digits[2:])
    if writing.north_american and not _is_north_american(home_country):
        raise PhoneError(PhoneProblem.NORTH_AMERICA, typed)
    return _parse_at_home(typed, writing.digits, home_country)


def parse_with_country_code(typed: str) -> PhoneNumber:
    """Parse a number that begins with its country code, with or without a plus sign.

    For a column of a file, once staff have said that it is one. Raises `PhoneError`.
    """
    return _parse_abroad(typed, _international_digits(read_writing(typed)))


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
        found = parse_with_country_code(typed)
    except PhoneError:
        return None
    return None if found.unusual else found.e164


@lru_cache(maxsize=2000)
def mask(text: str, region: str = "CN") -> str:
    """A stored number in masked form. Any other text is masked, too. Never raises.

    `region` is the country of a number that was stored without a country code, if one is known.
    An erased number has no digit to show.
    """
    if is_erased(text):
        return DOT * 4
    number = _stored_number(text, region)
    if number is not None:
        return number.masked
    shown = text[-2:] if len(text) > 5 else ""
    return DOT * min(len(text) - len(shown), 12) + shown


@lru_cache(maxsize=2000)
def grouped(text: str, region: str = "CN") -> str:
    """A stored number in groups. Any other text is unchanged. Never raises.

    `region` is the country of a number that was stored without a country code, if one is known.
    """
    if is_erased(text):
        return DOT * 4
    number = _stored_number(text, region)
    return text if number is None else number.international


def _stored_number(text: str, region: str) -> PhoneNumber | None:
    key = search_key(text, region.upper())
    return None if key is None else parse_number(key)


def _international_digits(writing: Writing) -> str:
    if writing.international or not writing.digits.startswith("00"):
        return writing.digits
    return writing.digits[2:]


def _is_north_american(country: str) -> bool:
    return phonenumbers.country_code_for_region(country) == CALLING_CODE


def _parse_abroad(typed: str, digits: str) -> PhoneNumber:
    """Parse digits that begin with a country code."""
    if digits.startswith("86"):
        return _parse_chinese(typed, digits[2:])
    return _parse_foreign(typed, f"+{digits}", None)


def _parse_at_home(typed: str, digits: str, home_country: str) -> PhoneNumber:
    """Parse digits without a plus sign. Raises `NO_PLUS` or `HOME_CODE` if it is missing."""
    try:
        if home_country == "CN":
            with_code = digits.startswith("86") and len(digits) > CHINESE_DIGITS
            return _parse_chinese(typed, digits[2:] if with_code else digits)
        number = _parse_foreign(typed, digits, home_country)
    except PhoneError as error:
        # Eleven digits after a 1 are rather a mistyped Chinese number.
        is_chinese = error.kind == PhoneProblem.NOT_MOBILE and digits.startswith("1")
        abroad = None if is_chinese else _known_abroad(digits)
        if abroad is None:
            raise
    else:
        may_have_code = _may_have_code_of(number, digits)
        abroad = _known_abroad(digits) if number.unusual or may_have_code else None
        if abroad is None:
            return number
        if may_have_code:
            raise PhoneError(PhoneProblem.HOME_CODE, typed)
    raise PhoneError(PhoneProblem.NO_PLUS, typed, country=abroad.country)


def _may_have_code_of(number: PhoneNumber, digits: str) -> bool:
    """Whether digits that were read without a country code may begin with the home country's.

    In Germany and Indonesia numbers differ so much in length that both readings are numbers.
    """
    return digits.startswith(number.calling_code) and number.e164 != f"+{digits}"


def _known_abroad(digits: str) -> PhoneNumber | None:
    """The number in a known range of another country that begins with these digits."""
    try:
        number = _parse_abroad(digits, digits)
    except PhoneError:
        return None
    return None if number.unusual else number


def _parse_chinese(typed: str, digits: str) -> PhoneNumber:
    if _CHINESE_MOBILE.fullmatch(digits):
        return _chinese_mobile(digits)
    if trunk := _CHINESE_TRUNK.fullmatch(digits):
        return _chinese_mobile(trunk[1])
    if _CHINESE_SERVICE.fullmatch(digits):
        raise PhoneError(PhoneProblem.SERVICE, typed, digits=len(digits))
    kind = PhoneProblem.NOT_MOBILE if len(digits) == CHINESE_DIGITS else PhoneProblem.DIGITS
    raise PhoneError(kind, typed, digits=len(digits), expected=CHINESE_DIGITS)


def _chinese_mobile(digits: str) -> PhoneNumber:
    # libphonenumber's own pattern lags behind the ranges that China assigns.
    return PhoneNumber(f"+86{digits}", "CN", "86", digits)


def _parse_foreign(typed: str, dialled: str, home_country: str | None) -> PhoneNumber:
    try:
        parsed = local_writing(phonenumbers.parse(dialled, home_country))
    except phonenumbers.NumberParseException as error:
        kind = UNPARSABLE.get(error.error_type, PhoneProblem.TOO_SHORT)
        raise PhoneError(kind, typed) from None
    significant = phonenumbers.national_significant_number(parsed)
    if parsed.country_code == 86:
        return _parse_chinese(typed, significant)
    verdict = phonenumbers.is_possible_number_with_reason(parsed)
    if verdict in IMPOSSIBLE:
        raise PhoneError(IMPOSSIBLE[verdict], typed, digits=len(significant))
    if parsed.country_code == CALLING_CODE and not has_area(significant[:AREA_DIGITS]):
        raise PhoneError(PhoneProblem.NO_AREA, typed)
    length = len(f"{parsed.country_code}{significant}")
    if length > MAX_E164_DIGITS:
        raise PhoneError(PhoneProblem.TOO_LONG, typed, digits=len(significant))
    if length < MIN_E164_DIGITS:
        raise PhoneError(PhoneProblem.TOO_SHORT, typed, digits=len(significant))
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
