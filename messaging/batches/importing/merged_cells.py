"""Give each row of a sheet the values that its merged cells show.

A merged cell shows its first value over all its rows, so the value belongs to each of them. Over
several columns it belongs to the first one only: which of the others it answers is not known.
What lies in the covered cells is not shown, so it is not read.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass
from typing import Final

from .cell_places import letters
from .file_errors import FileProblem, Unreadable
from .xlsx_values import Cells

MAX_MERGES: Final = 200_000
MAX_ROW: Final = 2**31
MAX_PLACES: Final = 20
"""Merged cells that are kept to be named."""


@dataclass(slots=True)
class Merge:
    """Rows count from 1, columns from 0; the last ones are included."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int
    value: str = ""

    @property
    def place(self) -> str:
        """B2:C3, as spreadsheets write it."""
        first = f"{letters(self.first_column)}{self.first_row}"
        return f"{first}:{letters(self.last_column)}{self.last_row}"


class MergedCells:
    """The merged cells of a sheet, added before the first of their rows is filled."""

    def __init__(self, most_columns: int) -> None:
        self.count = 0
        self.places: list[str] = []
        self._most_columns = most_columns
        self._waiting: list[Merge] = []
        self._is_sorted = True
        self._open: list[Merge] = []
        self._wide: list[Merge] = []
        self._tall: dict[int, list[tuple[int, int]]] = {}

    def add(self, first_row: int, last_row: int, first_column: int, last_column: int) -> None:
        if last_row < first_row or last_column < first_column:
            return
        merge = Merge(first_row, last_row, first_column, last_column)
        if (last_row, last_column) == (first_row, first_column):
            return
        self.count += 1
        if self.count > MAX_MERGES:
            raise Unreadable(FileProblem.UNREADABLE)
        if len(self.places) < MAX_PLACES:
            self.places.append(merge.place)
        if first_column >= self._most_columns:
            return
        merge.last_column = min(last_column, self._most_columns - 1)
        self._is_sorted = self._is_sorted and not self._waiting
        self._waiting.append(merge)
        if last_row > first_row:
            insort(self._tall.setdefault(first_column, []), (first_row, last_row))
        if last_column > first_column:
            self._wide.append(merge)

    def fill(self, number: int, cells: Cells) -> None:
        """Change the cells of this row to those that the sheet shows. Rows come in order."""
        if not self._waiting and not self._open:
            return
        if not self._is_sorted:
            self._waiting.sort(key=lambda one: -one.first_row)
            self._is_sorted = True
        while self._waiting and self._waiting[-1].first_row <= number:
            self._open.append(self._waiting.pop())
        self._open = [one for one in self._open if one.last_row >= number]
        if sum(one.last_column - one.first_column + 1 for one in self._open) > self._most_columns:
            # Only in a damaged file do merged cells overlap.
            raise Unreadable(FileProblem.UNREADABLE)
        for one in self._open:
            first = one.first_column
            if one.first_row == number:
                one.value = cells[first] if first < len(cells) else ""
            elif one.value and first >= len(cells):
                cells.extend([""] * (first + 1 - len(cells)))
            for column in range(first, min(one.last_column + 1, len(cells))):
                cells[column] = one.value if column == first else ""

    def end_at(self, number: int) -> None:
        """The table ends with this row, and with it all cells."""
        for one in (*self._waiting, *self._open):
            one.last_row = min(one.last_row, number)
        for tall in self._tall.values():
            # Only the last one of a column can reach further.
            first, last = tall[-1]
            tall[-1] = first, min(last, number)

    def rows_of(self, number: int, column: int) -> tuple[int, int] | None:
        """The first and the last row over which this cell is merged; None if it is of one row."""
        tall = self._tall.get(column, [])
        # Sorted, and they do not overlap: the last one that has begun is the one.
        begun = bisect_right(tall, (number, MAX_ROW))
        if begun and tall[begun - 1][1] >= number:
            return tall[begun - 1]
        return None

    def last_heading_row(self, number: int, deepest: int) -> int:
        """The last row of a heading of which cells reach down into further rows."""
        tall = (one for spans in self._tall.values() for one in spans)
        return max(
            (last for first, last in tall if first <= number < last <= deepest), default=number
        )

    def headings(self, number: int, cells: Cells) -> Cells:
        """The cells of a heading row, each as wide as it is shown."""
        shown = list(cells)
        for one in self._wide:
            if one.first_row <= number <= one.last_row and one.first_column < len(shown):
                shown.extend([""] * (one.last_column + 1 - len(shown)))
                text = shown[one.first_column]
                for column in range(one.first_column, one.last_column + 1):
                    shown[column] = text
        return shown
