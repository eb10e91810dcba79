"""Read workbooks that hold all their sheets in one XML part: OpenDocument and XML Spreadsheet 2003.

The part is read twice: for the names of its sheets and their first rows, and then for the rows of
one sheet. Only the current row is in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Any, Final

from .file_errors import FileProblem, Unreadable
from .sheet_facts import MAX_COLUMNS, MAX_ROWS, CountingHandler, SheetFacts
from .xlsx_values import LONGEST_CELL, Cells, NumberedRow
from .xml_parser import Attributes, BoundedParser
from .zip_parts import CHUNK, FILE_ERRORS

LONGEST_SHEET_NAME: Final = 64
MAX_SHEETS: Final = 2_000
MAX_SAMPLED_SHEETS: Final = 20


@dataclass
class Sheet:
    name: str
    is_visible: bool = True
    sample: list[NumberedRow] = field(default_factory=list)
    facts: SheetFacts = field(default_factory=SheetFacts)
    has_numbers: bool = False


class SheetsHandler(CountingHandler):
    """Builds the rows of one sheet, or the first rows of each.

    A format derives from it and calls the methods for the sheets, rows and cells that it finds.
    """

    def __init__(
        self,
        *,
        wanted: int | None = None,
        leave_out_hidden: bool = False,
        sampled: int = 0,
        judge: Callable[[Sheet], None] = lambda sheet: None,
    ) -> None:
        """`wanted`: the index of the sheet to read; None: `sampled` rows of each, to `judge`."""
        self.sheets: list[Sheet] = []
        self.front = ""
        """The name or the index of the sheet that was in front, if the file states it."""
        self.is_done = False
        """Whether the wanted sheet was read."""
        self.facts = SheetFacts()
        self._wanted = wanted
        self._leave_out_hidden = leave_out_hidden
        self._sampled = sampled
        self._judge = judge
        self._collects = False
        self._ready: list[tuple[int, int, Cells]] = []
        self._number = 0
        self._cells: Cells = []
        self._column = 0
        """Where the next cell is."""
        self._is_hidden = False

    def start(self, name: str, attributes: Attributes) -> None:
        raise NotImplementedError

    def end(self, name: str) -> None:
        raise NotImplementedError

    def add_text(self, piece: str) -> None:
        raise NotImplementedError

    def take_rows(self) -> Iterator[NumberedRow]:
        """Return the completed rows and forget them."""
        ready, self._ready = self._ready, []
        for first, times, cells in ready:
            # One by one: a single element may stand for a million rows.
            yield from zip(range(first, first + times), repeat(cells), strict=False)

    def _begin_sheet(self, name: str) -> None:
        if len(self.sheets) >= MAX_SHEETS:
            raise Unreadable(FileProblem.UNREADABLE)
        index = len(self.sheets)
        self._number = 0
        is_sampled = self._wanted is None and index <= MAX_SAMPLED_SHEETS
        self._collects = is_sampled or index == self._wanted
        sheet = Sheet(name[:LONGEST_SHEET_NAME])
        self.sheets.append(sheet)
        if self._collects:
            self.facts = sheet.facts

    def _end_sheet(self) -> None:
        if not self.sheets:
            return
        sheet = self.sheets[-1]
        if self._wanted is None:
            if sheet.is_visible and self._ready:
                sheet.sample = list(islice(self.take_rows(), self._sampled))
                self._judge(sheet)
            self._ready, sheet.sample, sheet.facts = [], [], SheetFacts()
        elif self._collects:
            self.is_done = True
        self._collects = False

    def _begin_row(self, number: int, *, is_hidden: bool) -> None:
        """Row numbers always increase, whatever the file declares."""
        self._number = max(number, self._number + 1)
        self._cells, self._column = [], 0
        self._is_hidden = is_hidden

    def _end_row(self, times: int = 1) -> None:
        """`times`: how often the row is repeated. Empty rows are skipped."""
        first, cells = self._number, self._cells
        self._cells = []
        self._number = min(first + max(times, 1) - 1, MAX_ROWS)
        if not any(cells):
            return
        if first + max(times, 1) - 1 > MAX_ROWS:
            raise Unreadable(FileProblem.UNREADABLE)
        for number in range(first, self._number + 1):
            # A copy, if the rows do not show the same because of merged cells.
            shown = list(cells) if times > 1 and self.facts.merges.count else cells
            self.facts.merges.fill(number, shown)
            if self._is_hidden:
                self.facts.add_hidden_row(number)
                if self._leave_out_hidden:
                    continue
            elif not self.facts.merges.count:
                # All alike.
                self._add(first, self._number - first + 1, cells)
                return
            self._add(number, 1, shown)

    def _add(self, first: int, times: int, cells: Cells) -> None:
        if self._wanted is None:
            self._collects = len(self._ready) < self._sampled
        self._ready.append((first, times, cells))

    def _add_cell(self, text: str, times: int = 1) -> None:
        """Set the next cells to this text."""
        text = text[:LONGEST_CELL].strip()
        first, self._column = self._column, self._column + max(times, 1)
        if not text or first >= MAX_COLUMNS:
            return
        cells = self._cells
        cells.extend([""] * (first - len(cells)))
        cells.extend([text] * (min(self._column, MAX_COLUMNS) - first))


class StreamBook:
    """An open workbook. Raises `Unreadable` from the constructor or from `rows`."""

    def __init__(
        self,
        open_part: Callable[[], Any],
        size: int,
        make_handler: Callable[..., SheetsHandler],
        *,
        sampled: int,
        has_numbers: Callable[[Sequence[NumberedRow], SheetFacts], bool],
    ) -> None:
        self._open_part = open_part
        self._make_handler = make_handler
        self.size = size
        self.bytes_read = 0
        self.facts = SheetFacts()

        def judge(sheet: Sheet) -> None:
            sheet.has_numbers = bool(sheet.sample) and has_numbers(sheet.sample, sheet.facts)

        handler = make_handler(sampled=sampled, judge=judge)
        for _ in self._feed(handler):
            pass
        self._kept = [index for index, one in enumerate(handler.sheets) if one.is_visible]
        self._sheets = handler.sheets
        self._front = handler.front
        self.sheet_names = [handler.sheets[index].name for index in self._kept]
        """The visible sheets."""

    def front(self, named: str = "") -> int:
        """Index of the sheet that was in front. `named`: its name, if another part states it."""
        named = named or self._front
        for place, index in enumerate(self._kept):
            if named and named in (self._sheets[index].name, str(index)):
                return place
        return 0

    def has_numbers(self, sheet: int) -> bool:
        return self._sheets[self._kept[sheet]].has_numbers

    def rows(self, sheet: int, *, leave_out_hidden: bool = False) -> Iterator[NumberedRow]:
        """Yield a sheet's rows with their row numbers."""
        handler = self._make_handler(wanted=self._kept[sheet], leave_out_hidden=leave_out_hidden)
        for _ in self._feed(handler):
            self.facts = handler.facts
            yield from handler.take_rows()
            if handler.is_done:
                return

    def _feed(self, handler: SheetsHandler) -> Iterator[None]:
        """Parse the part; yields after each chunk."""
        parser = BoundedParser(handler)
        self.bytes_read = 0
        try:
            with self._open_part() as part:
                while chunk := part.read(CHUNK):
                    parser.feed(bytes(chunk))
                    self.bytes_read += len(chunk)
                    yield
            parser.close()
        except FILE_ERRORS:
            raise Unreadable(FileProblem.UNREADABLE) from None
        yield
