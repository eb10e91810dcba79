"""Show dates, times and time spans of a sheet by their format codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

DATE_PARTS: Final = r"am/pm|a/p|上午/下午|y+|m+|d+|h+|s+(?:\.0+)?|aaaa?|e+"
DAYS_BEFORE_1904: Final = 1462
EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zones
MISSING_LEAP_DAY: Final = 60
"""Serial number of 29 February 1900, a day that spreadsheets count but that never existed."""
LATEST: Final = 2_958_466
"""The day after 9999-12-31."""
_BY_SYSTEM: Final = re.compile(r"\$-F[48]00", re.IGNORECASE)
"""Dates and times that are shown as the reader's system shows them."""
_LOCALE: Final = re.compile(r"\$[^-]*-(?:[0-9A-F]*?)([0-9A-F]{1,4})(?:,.*)?", re.IGNORECASE)
_LANGUAGES: Final = {
    0x04: "zh_Hans", 0x07: "de", 0x09: "en", 0x0A: "es", 0x0C: "fr", 0x10: "it", 0x11: "ja",
    0x12: "ko", 0x13: "nl", 0x15: "pl", 0x16: "pt", 0x19: "ru", 0x1E: "th", 0x1F: "tr",
    0x21: "id", 0x2A: "vi", 0x3E: "ms",
}  # fmt: skip
"""Primary language identifiers of Windows (MS-LCID)."""

Token = tuple[str, str]


def moment_of(serial: float, *, starts_1904: bool) -> datetime | None:
    """The moment that a serial number means; None if there is none."""
    if not 0 <= serial < LATEST:
        return None
    if starts_1904:
        serial += DAYS_BEFORE_1904
    elif serial < MISSING_LEAP_DAY:
        serial += 1
    try:
        # Milliseconds, since binary fractions of a day are not exact.
        return EPOCH + timedelta(milliseconds=round(serial * 86_400_000))
    except OverflowError:
        return None


def iso(serial: float, *, starts_1904: bool) -> str | None:
    """2026-03-01 10:30, for formats whose look depends on the reader's system."""
    at = moment_of(serial + 0.5 / 86_400, starts_1904=starts_1904)
    if at is None:
        return None
    clock = f"{at:%H:%M:%S}".removesuffix(":00")
    if serial < 1 and not starts_1904:
        return clock
    return f"{at:%Y-%m-%d}" if clock == "00:00" else f"{at:%Y-%m-%d} {clock}"


class DateFormat:
    """One section of a format code with parts of a date or a time."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = list(_with_minutes(tokens))
        tags = [text for kind, text in tokens if kind == "locale"]
        self._by_system = any(_BY_SYSTEM.fullmatch(tag) for tag in tags)
        self._language = next((lang for tag in tags if (lang := _language_of(tag))), "en")
        words = [text.lower() for kind, text in self._tokens if kind == "date"]
        self._halves = any("/" in word for word in words)
        self._is_span = any(kind == "elapsed" for kind, _ in tokens)
        self._fraction = max((len(word.partition(".")[2]) for word in words), default=0)

    def show(self, serial: float, *, starts_1904: bool) -> str | None:
        """None if the number is no date."""
        if self._by_system:
            return iso(serial, starts_1904=starts_1904)
        if self._is_span:
            sign, serial = ("-", -serial) if serial < 0 else ("", serial)
        else:
            sign = ""
        rounded = round(serial * 86_400 * 10**self._fraction) / 86_400 / 10**self._fraction
        at = moment_of(rounded, starts_1904=starts_1904)
        if at is None:
            return None
        seconds = round(rounded * 86_400, self._fraction)
        shown = [self._part(kind, text, at, seconds) for kind, text in self._tokens]
        return sign + "".join(shown).strip()

    def _part(self, kind: str, text: str, at: datetime, seconds: float) -> str:
        word = text.lower()
        if kind == "elapsed":
            unit = {"h": 3600, "m": 60, "s": 1}[word[0]]
            return f"{int(seconds // unit):0{len(word)}}"
        if kind == "minute":
            return f"{at.minute:0{min(len(word), 2)}}"
        if kind != "date":
            return text if kind == "literal" or text in ".,/" else ""
        if "/" in word:
            return _half(text, at)
        if word[0] == "h":
            hour = (at.hour % 12 or 12) if self._halves else at.hour
            return f"{hour:0{min(len(word), 2)}}"
        if word[0] == "s":
            return _seconds(word, at)
        return _day_part(word, at, self._language)


def _with_minutes(tokens: Sequence[Token]) -> list[Token]:
    """An m after hours or before seconds is a minute, not a month."""
    kept = list(tokens)
    units = [i for i, (kind, text) in enumerate(kept) if kind in ("date", "elapsed")]
    units = [i for i in units if "/" not in kept[i][1]]
    for place, index in enumerate(units):
        kind, text = kept[index]
        if kind != "date" or text[0] not in "mM" or len(text) > 2:
            continue
        before = kept[units[place - 1]][1][0].lower() if place else ""
        after = kept[units[place + 1]][1][0].lower() if place + 1 < len(units) else ""
        if before == "h" or after == "s":
            kept[index] = ("minute", text)
    return kept


def _half(text: str, at: datetime) -> str:
    first, second = text.split("/")
    return first if at.hour < 12 else second


def _seconds(word: str, at: datetime) -> str:
    whole, _, fraction = word.partition(".")
    shown = f"{at.second:0{min(len(whole), 2)}}"
    return f"{shown}.{at.microsecond:06}"[: len(shown) + 1 + len(fraction)] if fraction else shown


def _day_part(word: str, at: datetime, language: str) -> str:
    if word[0] in "ye":
        return f"{at.year % 100:02}" if word in ("y", "yy") else f"{at.year:04}"
    if word[0] == "a":
        return _name("days", at.weekday(), "wide" if len(word) > 3 else "abbreviated", "zh_Hans")
    if len(word) < 3:
        return f"{at.month if word[0] == 'm' else at.day:0{len(word)}}"
    if word == "mmmmm":
        return _name("months", at.month, "wide", language)[:1]
    width = "abbreviated" if len(word) == 3 else "wide"
    if word[0] == "m":
        return _name("months", at.month, width, language)
    return _name("days", at.weekday(), width, language)


def _name(what: str, number: int, width: str, language: str) -> str:
    # Imported here, since few files have names of months.
    from babel import Locale

    names = getattr(Locale.parse(language), what)
    return str(names["format"][width][number])


def _language_of(tag: str) -> str | None:
    found = _LOCALE.fullmatch(tag)
    return _LANGUAGES.get(int(found[1], 16) & 0x3FF) if found else None
