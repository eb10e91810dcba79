"""What every kind of sheet has in common: its bounds, and what it hides or merges."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from .file_errors import FileProblem, Unreadable
from .merged_cells import MergedCells

MAX_COLUMNS: Final = 200
MAX_ROWS: Final = 1_048_576
"""The most rows that any sheet can have."""
MAX_ELEMENTS: Final = 15_000_000
"""Elements of one part: about 15 s of work, or 70 columns in 100,000 rows."""
MAX_PIECES: Final = 1_000
"""Chunks of character data that form one text; each has at most 8 KB."""
MAX_RANGES: Final = 20
"""Ranges of hidden rows that are kept to be named."""


class CountingHandler:
    """Counts elements, of which a small file may contain very many."""

    depth = 0
    """Elements that are open."""
    _seen = 0

    def _count(self) -> None:
        self.depth += 1
        self._seen += 1
        if self._seen > MAX_ELEMENTS:
            raise Unreadable(FileProblem.UNREADABLE)


@dataclass
class SheetFacts:
    """What a sheet hides or merges; complete once all its rows were read."""

    hidden_rows: int = 0
    """Rows with content that a filter or a person has hidden."""
    hidden_ranges: list[list[int]] = field(default_factory=list)
    """First and last row of the first ranges."""
    hidden_columns: set[int] = field(default_factory=set)
    merges: MergedCells = field(default_factory=lambda: MergedCells(MAX_COLUMNS))

    def add_hidden_row(self, number: int) -> None:
        self.hidden_rows += 1
        if self.hidden_ranges and self.hidden_ranges[-1][1] == number - 1:
            self.hidden_ranges[-1][1] = number
        elif len(self.hidden_ranges) < MAX_RANGES:
            self.hidden_ranges.append([number, number])

    def hide_columns(self, first: int, last: int) -> None:
        """`first` and `last` count from 0."""
        self.hidden_columns.update(range(max(0, first), min(last + 1, MAX_COLUMNS)))
