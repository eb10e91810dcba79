"""Convert cell values of a workbook to the text that a reader of the sheet sees."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

Cells = list[str]
NumberedRow = tuple[int, Cells]
"""The row number as in the spreadsheet, and the cells."""

LONGEST_CELL: Final = 10_000
"""Characters."""


class DateKind(StrEnum):
    NONE = "none"
    MOMENT = "moment"
    SPAN = "span"
    MOMENT_FROM_1904 = "moment_from_1904"


BUILT_IN_DATES: Final = frozenset({*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)})
"""Built-in number formats that files use without declaring them (ECMA-376, 18.8.30). 27 to 36
and 50 to 58 are the date formats of Chinese, Japanese and Korean spreadsheets."""
BUILT_IN_SPAN: Final = 46
DAYS_BEFORE_1904: Final = 1462
EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no zones
MISSING_LEAP_DAY: Final = 60
"""Serial number of 29 February 1900, a day that spreadsheets count but that never existed."""

ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


class DateStyles:
    """Detects which cell styles are dates. Only its style makes a number a date."""

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
        """Handle one element of the styles part."""
        # Imported here because it takes a tenth of the start-up time and few processes need it.
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
    """Text of a cell that does not refer to a shared string.

    `kind` is the cell's type attribute, `date` what its style says about dates.
    """
    if kind == "n":
        return value if value.isdigit() and date is DateKind.NONE else _number(value, date)
    if kind == "b":
        return "TRUE" if value == "1" else "FALSE"
    if kind == "e":
        # #N/A and the like: a failed formula must never reach a recipient.
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
            # Far too large for a date.
            pass
    if number.is_integer() and abs(number) < 1e15:
        # Workbooks store whole numbers exactly; only their display is shortened.
        return str(int(number))
    # 15 digits, as many as spreadsheets show: 0.1 + 0.2 is 0.3.
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
    """Decode characters that XML cannot hold, such as `_x000D_`."""
    return ESCAPED.sub(_character, text) if "_x" in text else text


def _character(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    is_text = character.isprintable() or character in "\n\r\t"
    return character if is_text else ""
