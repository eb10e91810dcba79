"""Parsers for the two large parts of a workbook: its cells and its shared strings.

They consume XML elements one by one and count them, because a small file may contain very many.
"""

from __future__ import annotations

import re
from sys import getsizeof
from typing import Final

from .cell_places import area_of, index_of
from .file_errors import FileProblem, Unreadable
from .sheet_facts import MAX_COLUMNS, MAX_PIECES, MAX_ROWS, CountingHandler, SheetFacts
from .xlsx_values import LONGEST_CELL, Cells, CellStyles, NumberedRow, cell_text, unescape
from .xml_parser import Attributes

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


class SharedStrings(CountingHandler):
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


class MergeReader(CountingHandler):
    """Handler that only reads the merged cells, which stand behind all rows of a sheet."""

    def __init__(self, facts: SheetFacts) -> None:
        self._merges = facts.merges

    def start(self, name: str, attributes: Attributes) -> None:
        self._count()
        if name in MERGED and (area := area_of(attributes.get("ref", ""))):
            self._merges.add(*area)

    def end(self, name: str) -> None:
        self.depth -= 1

    def add_text(self, piece: str) -> None:
        return None


class SheetRows(CountingHandler):
    """Handler that builds rows from the elements of a sheet."""

    def __init__(
        self,
        texts: list[str],
        styles: CellStyles,
        facts: SheetFacts,
        *,
        leave_out_hidden: bool = False,
    ) -> None:
        self.facts = facts
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
        elif name in COLUMN and attributes.get("hidden") in YES:
            self.facts.hide_columns(int(attributes["min"]) - 1, int(attributes["max"]) - 1)

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
            index = self._index_of[letters] = index_of(letters)
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
        self.facts.merges.fill(self._number, self._cells)
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
