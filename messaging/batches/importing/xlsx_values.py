"""Convert cell values of a workbook to the text that a reader of the sheet sees."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final, Protocol

from .date_formats import iso
from .number_formats import compile_format, general

Cells = list[str]
NumberedRow = tuple[int, Cells]
"""The row number as in the spreadsheet, and the cells."""

LONGEST_CELL: Final = 10_000
"""Characters."""
MAX_DIGITS: Final = 15
"""Digits that a spreadsheet keeps of a number."""


class Format(Protocol):
    def show(self, value: float, *, starts_1904: bool) -> str: ...


class SystemDate:
    """A date whose look depends on the reader's system: shown in the order of ISO 8601."""

    def show(self, value: float, *, starts_1904: bool) -> str:
        return iso(value, starts_1904=starts_1904) or general(value)


BY_SYSTEM: Final = frozenset({14, 22, *range(27, 37), *range(50, 59)})
"""27 to 36 and 50 to 58 are the dates of Chinese, Japanese and Korean spreadsheets."""
BUILT_IN: Final = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "#,##0", 6: "#,##0", 7: "#,##0.00",
    8: "#,##0.00", 9: "0%", 10: "0.00%", 12: "# ?/?", 13: "# ??/??", 15: "d-mmm-yy", 16: "d-mmm",
    17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
    37: "#,##0_);(#,##0)", 38: "#,##0_);(#,##0)", 39: "#,##0.00_);(#,##0.00)",
    40: "#,##0.00_);(#,##0.00)", 41: "#,##0", 42: "#,##0", 43: "#,##0.00", 44: "#,##0.00",
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
}  # fmt: skip
"""Number formats that files use without declaring them (ECMA-376, part 1, 18.8.30)."""

ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


class CellStyles:
    """The number format of each cell style. Without one, a number is shown as it is."""

    def __init__(self, *, starts_1904: bool = False) -> None:
        self.starts_1904 = starts_1904
        self._codes = {str(number): code for number, code in BUILT_IN.items()}
        self._by_format: dict[str, Format | None] = {
            str(number): SystemDate() for number in BY_SYSTEM
        }
        self._format_of_style: list[str] = []
        self._by_style: dict[str, Format | None] = {}
        self._in_cell_styles = False

    def format_of(self, style: str) -> Format | None:
        if style not in self._by_style:
            index = int(style) if style.isascii() and style.isdigit() else -1
            known = 0 <= index < len(self._format_of_style)
            self._by_style[style] = self._compiled(self._format_of_style[index]) if known else None
        return self._by_style[style]

    def _compiled(self, number: str) -> Format | None:
        if number not in self._by_format:
            self._by_format[number] = compile_format(self._codes.get(number, ""))
        return self._by_format[number]

    def element(self, name: str, attributes: Mapping[str, str]) -> None:
        """Handle one element of the styles part."""
        word = name.rpartition(" ")[2]
        if word == "numFmt":
            number = attributes["numFmtId"]
            self._codes[number] = attributes.get("formatCode", "")
            self._by_format.pop(number, None)
        elif word in ("cellXfs", "cellStyleXfs", "cellStyles"):
            self._in_cell_styles = word == "cellXfs"
        elif word == "xf" and self._in_cell_styles:
            self._format_of_style.append(attributes.get("numFmtId", ""))


def cell_text(value: str, kind: str, shown_as: Format | None, *, starts_1904: bool = False) -> str:
    """Text of a cell that does not refer to a shared string.

    `kind` is the cell's type attribute, `shown_as` the number format of its style.
    """
    if kind == "n":
        if shown_as is None and value.isdigit() and len(value) <= MAX_DIGITS:
            return value
        return _number(value, shown_as, starts_1904)
    if kind == "b":
        return "TRUE" if value == "1" else "FALSE"
    if kind == "e":
        # #N/A and the like: a failed formula must never reach a recipient.
        return ""
    if kind == "d":
        return value.replace("T", " ")
    return unescape(value[:LONGEST_CELL])


def _number(value: str, shown_as: Format | None, starts_1904: bool) -> str:
    number = float(value)
    if not math.isfinite(number):
        return ""
    if shown_as is None:
        return general(number)
    return shown_as.show(number, starts_1904=starts_1904)


def unescape(text: str) -> str:
    """Decode characters that XML cannot hold, such as `_x000D_`."""
    return ESCAPED.sub(_character, text) if "_x" in text else text


def _character(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    is_text = character.isprintable() or character in "\n\r\t"
    return character if is_text else ""
