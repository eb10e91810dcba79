"""Parsers for the two large parts of a workbook: its cells and its shared strings.

They consume XML elements one by one and count them, because a small file may contain very many.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from sys import getsizeof
from typing import Final

from .file_errors import FileProblem, Unreadable
from .xlsx_values import LONGEST_CELL, Cells, CellStyles, NumberedRow, cell_text, unescape
from .xml_parser import Attributes

MAX_COLUMNS: Final = 200
MAX_ROWS: Final = 1_048_576
"""The most rows that any sheet can have."""
MAX_ELEMENTS: Final = 15_000_000
"""Elements of one part: about 15 s of work, or 70 columns in 100,000 rows."""
MAX_PIECES: Final = 1_000
"""Chunks of character data that form one text; each has at most 8 KB."""
MAX_TEXTS: Final = 100 * 1024 * 1024
"""Bytes of the shared strings in memory. They are the only part that has to be held there."""

NAMESPACES: Final = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)


def _named(word: str) -> frozenset[str]:
    return frozenset(f"{namespace} {word}" for namespace in NAMESPACES)


CELL, ROW, VALUE, TEXT, ITEM, PHONETIC, COLUMN, MERGED = map(
    _named, ("c", "row", "v", "t", "si", "rPh", "col", "mergeCell")
)
MAX_RANGES: Final = 20
"""Ranges of hidden rows and merged cells that are kept to be named."""


class _CountingHandler:
    """Counts elements, of which a small file may contain very many."""

    depth = 0
    """Elements that are open."""
    _seen = 0

    def _count(self) -> None:
        self.depth += 1
        self._seen += 1
        if self._seen > MAX_ELEMENTS:
            raise Unreadable(FileProblem.UNREADABLE)


class SharedStrings(_CountingHandler):
    """Handler for the shared strings."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._pieces: list[str] | None = None
        self._in_text = self._phonetic = False
        self._size = 0

    def start(self, name: str, attributes: Attributes) -> None:
        self._count()
        if name in TEXT:
            self._in_text = not self._phonetic
        elif name in ITEM:
            self._pieces = []
        elif name in PHONETIC:
            # Phonetic guides are not part of the text.
            self._phonetic = True

    def add_text(self, piece: str) -> None:
        if self._in_text and self._pieces is not None and len(self._pieces) < MAX_PIECES:
            self._pieces.append(piece)

    def end(self, name: str) -> None:
        self.depth -= 1
        if name in TEXT:
            self._in_text = False
        elif name in PHONETIC:
            self._phonetic = False
        elif name in ITEM:
            text = unescape("".join(self._pieces or ())[:LONGEST_CELL])
            self._pieces = None
            self._size += getsizeof(text) + 8
            if self._size > MAX_TEXTS:
                raise Unreadable(FileProblem.UNREADABLE)
            self.texts.append(text)


YES: Final = ("1", "true")
LETTERS: Final = re.compile(r"[A-Z]{1,3}")


@dataclass
class SheetFacts:
    """What a sheet hides or merges; complete once all its rows were read."""

    hidden_rows: int = 0
    """Rows with content that a filter or a person has hidden."""
    hidden_ranges: list[list[int]] = field(default_factory=list)
    """First and last row of the first ranges."""
    hidden_columns: set[int] = field(default_factory=set)
    merged: int = 0
    merged_places: list[str] = field(default_factory=list)

    def add_hidden_row(self, number: int) -> None:
        self.hidden_rows += 1
        if self.hidden_ranges and self.hidden_ranges[-1][1] == number - 1:
            self.hidden_ranges[-1][1] = number
        elif len(self.hidden_ranges) < MAX_RANGES:
            self.hidden_ranges.append([number, number])

    def hides_row(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self.hidden_ranges)


class SheetRows(_CountingHandler):
    """Handler that builds rows from the elements of a sheet."""

    def __init__(
        self, texts: list[str], styles: CellStyles, *, leave_out_hidden: bool = False
    ) -> None:
        self.facts = SheetFacts()
        self._leave_out_hidden = leave_out_hidden
        self._is_hidden = False
        self._texts = texts
        self._styles = styles
        self._ready: list[NumberedRow] = []
        self._index_of: dict[str, int] = {}
        self._number = 0
        self._cells: Cells = []
        self._column = -1
        self._kind = "n"
        self._style = ""
        self._pieces: list[str] = []
        self._in_text = self._phonetic = False

    def take_rows(self) -> list[NumberedRow]:
        """Return the completed rows and forget them."""
        ready, self._ready = self._ready, []
        return ready

    def start(self, name: str, attributes: Attributes) -> None:
        self._count()
        if name in CELL:
            self._start_cell(attributes)
        elif name in VALUE or name in TEXT:
            self._in_text = self._column < MAX_COLUMNS and not self._phonetic
        elif name in ROW:
            # Row numbers always increase, whatever the file declares.
            self._number = max(int(attributes.get("r", 0)), self._number + 1)
            if self._number > MAX_ROWS:
                raise Unreadable(FileProblem.UNREADABLE)
            self._cells, self._column = [], -1
            self._is_hidden = attributes.get("hidden") in YES or attributes.get("ht") == "0"
        elif name in PHONETIC:
            self._phonetic = True
        elif name in COLUMN:
            if attributes.get("hidden") in YES:
                first, last = int(attributes["min"]), int(attributes["max"])
                self.facts.hidden_columns.update(range(max(0, first - 1), min(last, MAX_COLUMNS)))
        elif name in MERGED:
            self._add_merged(attributes.get("ref", ""))

    def _add_merged(self, place: str) -> None:
        self.facts.merged += 1
        if len(self.facts.merged_places) < MAX_RANGES:
            self.facts.merged_places.append(place[:20])

    def _start_cell(self, attributes: Attributes) -> None:
        place = attributes.get("r")
        self._column = self._column + 1 if place is None else self._index(place)
        self._kind = attributes.get("t", "n")
        self._style = attributes.get("s", "")
        self._pieces = []

    def _index(self, place: str) -> int:
        letters = place.rstrip("0123456789")
        index = self._index_of.get(letters)
        if index is None:
            if not LETTERS.fullmatch(letters):
                raise ValueError(letters)
            index = -1
            for letter in letters:
                index = (index + 1) * 26 + ord(letter) - ord("A")
            self._index_of[letters] = index
        return index

    def add_text(self, piece: str) -> None:
        if self._in_text and len(self._pieces) < MAX_PIECES:
            self._pieces.append(piece)

    def end(self, name: str) -> None:
        self.depth -= 1
        if name in VALUE or name in TEXT:
            self._in_text = False
        elif name in CELL:
            if self._pieces:
                self._end_cell("".join(self._pieces))
        elif name in ROW:
            if any(self._cells):
                self._end_row()
            self._cells = []
        elif name in PHONETIC:
            self._phonetic = False

    def _end_row(self) -> None:
        if self._is_hidden:
            self.facts.add_hidden_row(self._number)
            if self._leave_out_hidden:
                return
        self._ready.append((self._number, self._cells))

    def _end_cell(self, value: str) -> None:
        self._pieces = []
        if self._kind == "s":
            # A negative index would count from the end.
            text = self._texts[int(value)] if value.isdigit() else ""
        else:
            styles = self._styles
            shown_as = styles.format_of(self._style) if self._style else None
            text = cell_text(value, self._kind, shown_as, starts_1904=styles.starts_1904)
        cells = self._cells
        while len(cells) <= self._column:
            cells.append("")
        cells[self._column] = text.strip()
