"""Find the heading row of a table: below a title, above the first number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from .names import Naming, naming_of, unwrapped, visible
from .xlsx_values import Cells, NumberedRow

DEEPEST: Final = 20
"""Rows that are searched for the heading."""
LONGEST_HEADING: Final = 40
"""Characters of a cell that may name a column; a longer one is a sentence."""
LONG_RUN: Final = 7
_TABLE_TITLE: Final = re.compile(
    r"(?:table|tabelle|tabla|tableau|tabela|sheet|表格?|工作表|シート|표)\s*\d*", re.IGNORECASE
)
_ONLY_NUMERIC: Final = re.compile(r"[-+(]?[\W_]*\d[\d\W_]*")
_BETWEEN_DIGITS: Final = re.compile(r"(?<=\d)[ .\-()/](?=\d)")
_DIGITS: Final = re.compile(rf"\d{{{LONG_RUN},}}")


def find_heading(sample: Sequence[NumberedRow], is_number: Callable[[str], bool]) -> int | None:
    """Index of the heading row in the sample; None if the first row holds data."""
    rows = [cells for _, cells in sample[:DEEPEST]]
    first = next((i for i, cells in enumerate(rows) if any(map(is_number, cells))), None)
    above = rows[:first] if first is not None else rows[: max(0, len(rows) - 1)]
    width = _usual_width([cells for _, cells in sample])
    wide = [index for index, cells in enumerate(above) if _filled(cells) * 2 >= width]
    named = [index for index in wide if _names_phones(above[index])]
    if named:
        # In a single column every title is as wide as the heading, and the heading comes last.
        return named[-1] if width == 1 else named[0]
    for index in wide:
        is_last = index + 1 == len(above)
        is_narrow = _filled(above[index]) * 2 <= width
        if not is_last and (is_narrow or (width == 1 and _is_table_title(above[index]))):
            continue
        return None if any(map(_is_value, above[index])) else index
    return None


def _usual_width(rows: Sequence[Cells]) -> int:
    widths = Counter(map(_filled, rows))
    return max(widths.items(), key=lambda pair: (pair[1], pair[0]))[0]


def _filled(cells: Cells) -> int:
    return sum(1 for cell in cells if cell.strip())


def _names_phones(cells: Cells) -> bool:
    return any(
        len(cell) <= LONGEST_HEADING
        and not _is_value(cell)
        and naming_of(cell) >= Naming.PHONE_OF_ANOTHER
        for cell in cells
    )


def _is_table_title(cells: Cells) -> bool:
    return any(_TABLE_TITLE.fullmatch(visible(cell)) for cell in cells)


def _is_value(cell: str) -> bool:
    """Whether the cell is a number, a date or an address, which no heading consists of."""
    cell = visible(unwrapped(cell))
    if not cell:
        return False
    if _ONLY_NUMERIC.fullmatch(cell) or _DIGITS.search(_BETWEEN_DIGITS.sub("", cell)):
        return True
    return "@" in cell and "." in cell
