"""What a cell of a workbook says, as somebody who looks at the sheet would write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

Cells = list[str]
NumberedRow = tuple[int, Cells]
"""With its number as a spreadsheet counts it."""

LONGEST_CELL: Final = 10_000
"""Characters."""


class DateKind(StrEnum):
    NONE = "none"
    MOMENT = "moment"
    SPAN = "span"
    MOMENT_FROM_1904 = "moment_from_1904"


BUILT_IN_DATES: Final = frozenset({*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)})
"""Number formats that stand in no file (ECMA-376, 18.8.30); 27 to 36 and 50 to 58 are the
dates of Chinese, Japanese and Korean spreadsheets."""
BUILT_IN_SPAN: Final = 46
DAYS_BEFORE_1904: Final = 1462
EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zones
MISSING_LEAP_DAY: Final = 60
"""29 February 1900 never was, but spreadsheets count it."""

ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


class DateStyles:
    """Which cell styles are dates: numbers are dates by nothing else."""

    def __init__(self, starts_1904: bool) -> None:
        self._moment = DateKind.MOMENT_FROM_1904 if starts_1904 else DateKind.MOMENT
        self._formats: dict[str, DateKind] = {
            **{str(number): self._moment for number in BUILT_IN_DATES},
            str(BUILT_IN_SPAN): DateKind.SPAN,
        }
        self._styles: dict[str, DateKind] = {}
        self._in_cell_styles = False

    def kind_of(self, style: str) -> DateKind:
        return self._styles.get(style, DateKind.NONE)

    def element(self, name: str, attributes: Mapping[str, str]) -> None:
        """One element of the part with the styles."""
        # Loading it takes a tenth of a process's start, and few processes meet a workbook.
        from openpyxl.styles.numbers import is_date_format, is_timedelta_format

        word = name.rpartition(" ")[2]
        if word == "numFmt":
            code = attributes.get("formatCode", "")
            if is_timedelta_format(code):
                self._formats[attributes["numFmtId"]] = DateKind.SPAN
            elif is_date_format(code):
                self._formats[attributes["numFmtId"]] = self._moment
        elif word in ("cellXfs", "cellStyleXfs", "cellStyles"):
            self._in_cell_styles = word == "cellXfs"
            self._count = 0
        elif word == "xf" and self._in_cell_styles:
            kind = self._formats.get(attributes.get("numFmtId", ""))
            if kind is not None:
                self._styles[str(self._count)] = kind
            self._count += 1


def cell_text(value: str, kind: str, date: DateKind) -> str:
    """`kind` is the cell's own type, as the file names it; a text of the table is no matter
    of this."""
    if kind == "n":
        return value if value.isdigit() and date is DateKind.NONE else _number(value, date)
    if kind == "b":
        return "TRUE" if value == "1" else "FALSE"
    if kind == "e":
        # #N/A and its like: a formula that found nothing. Nobody is to be sent that word.
        return ""
    if kind == "d":
        return value.replace("T", " ")
    return unescape(value[:LONGEST_CELL])


def _number(value: str, date: DateKind) -> str:
    number = float(value)
    if date is not DateKind.NONE:
        try:
            return _span(number) if date is DateKind.SPAN else _moment(number, date)
        except (OverflowError, ValueError):
            # No date at all: far too large.
            pass
    if number.is_integer() and abs(number) < 1e15:
        # A number in a workbook is stored whole; only its display is shortened.
        return str(int(number))
    # As many digits as a spreadsheet shows at the most: 0.1 + 0.2 is 0.3.
    return f"{number:.15g}"


def _moment(serial: float, date: DateKind) -> str:
    if serial < 0:
        raise ValueError(serial)
    if date is DateKind.MOMENT_FROM_1904:
        serial += DAYS_BEFORE_1904
    elif serial < 1:
        return _clock(_seconds(serial))
    elif serial < MISSING_LEAP_DAY:
        serial += 1
    at = EPOCH + timedelta(seconds=_seconds(serial))
    clock = at.hour * 3600 + at.minute * 60 + at.second
    return f"{at:%Y-%m-%d} {_clock(clock)}" if clock else f"{at:%Y-%m-%d}"


def _span(days: float) -> str:
    sign = "-" if days < 0 else ""
    return sign + _clock(_seconds(abs(days)))


def _seconds(days: float) -> int:
    return round(days * 86_400)


def _clock(seconds: int) -> str:
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours:02}:{minutes:02}" + (f":{rest:02}" if rest else "")


def unescape(text: str) -> str:
    """Characters that XML cannot hold stand as `_x000D_` in a workbook."""
    return ESCAPED.sub(_character, text) if "_x" in text else text


def _character(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    is_text = character.isprintable() or character in "\n\r\t"
    return character if is_text else ""
