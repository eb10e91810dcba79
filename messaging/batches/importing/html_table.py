"""Read the rows of the tables in a web page, as which many programs export “Excel” files."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final

from .encodings import CERTAIN, CHOICES, Encoding, OpenFile, encoding_of, fits
from .file_errors import FileProblem, Unreadable
from .sheet_facts import MAX_COLUMNS, MAX_ROWS, SheetFacts
from .xlsx_values import LONGEST_CELL, Cells, NumberedRow

BLOCK: Final = 64 * 1024
MAX_PENDING: Final = 1024 * 1024
"""Characters of one unfinished tag or comment."""
MAX_TAGS: Final = 3_000_000
MAX_HEIGHT: Final = 65_534
"""The most rows of one cell that the HTML standard admits."""
DECLARED_IN: Final = 4096
_BEGINNING: Final = re.compile(
    rb"(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,500}?-->\s*)*"
    rb"<(?:!doctype\s+html|html|head|meta|body|table|style|div|center|title)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?([\w-]{3,20})", re.IGNORECASE)
_SAME: Final = {
    "gb2312": "gb18030", "gbk": "gb18030", "big5": "cp950", "shift_jis": "cp932",
    "euc_kr": "cp949", "iso8859-1": "cp1252", "ascii": "utf-8", "iso8859-2": "cp1250",
}  # fmt: skip
"""Encodings, each with the larger one that Windows programs mean by its name."""


def is_html(beginning: bytes) -> bool:
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        beginning = beginning.replace(b"\0", b"")[2:]
    return _BEGINNING.match(beginning.removeprefix(codecs.BOM_UTF8).lstrip()) is not None


def html_encoding(open_file: OpenFile, chosen: str | None) -> Encoding:
    """The encoding that the page declares, if it fits, or a guess."""
    if chosen is None:
        beginning = bytes(open_file().read(DECLARED_IN) or b"")
        declared = _CHARSET.search(beginning)
        name = _known(declared[1].decode("ascii")) if declared else None
        if name and name not in CERTAIN and fits(open_file(), name):
            return Encoding(name)
    return encoding_of(open_file, chosen)


def _known(declared: str) -> str | None:
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        return None
    name = _SAME.get(name.replace("-", "_"), _SAME.get(name, name)).replace("utf_", "utf-")
    return name if name in CHOICES else None


class HtmlTable:
    """The rows of the tables in a page."""

    def __init__(self) -> None:
        self.facts = SheetFacts()

    def rows(self, file: Any, encoding: str, name: str) -> Iterator[NumberedRow]:
        """Raises `Unreadable` if the page has no table or is too intricate."""
        parser = _TableParser(self.facts)
        text = io.TextIOWrapper(io.BufferedReader(file), encoding, newline="")
        found = False
        try:
            while chunk := text.read(BLOCK):
                parser.feed(chunk)
                if len(parser.rawdata) > MAX_PENDING or parser.tags > MAX_TAGS:
                    raise Unreadable(FileProblem.UNREADABLE)
                for row in parser.take_rows():
                    found = True
                    yield row
            parser.close()
        except UnicodeDecodeError:
            raise Unreadable(FileProblem.UNREADABLE) from None
        parser.end_row()
        last = parser.take_rows()
        yield from last
        if not found and not last:
            raise Unreadable(FileProblem.WEB_PAGE, name=name)


class _TableParser(HTMLParser):
    """Collects the cells of each row. Tables inside of cells belong to their cell."""

    def __init__(self, facts: SheetFacts) -> None:
        super().__init__(convert_charrefs=True)
        self.tags = 0
        self._facts = facts
        self._occupied: dict[int, int] = {}
        """The columns that a cell of an earlier row covers, each with the last such row."""
        self._ready: list[NumberedRow] = []
        self._number = 0
        self._cells: Cells | None = None
        self._pieces: list[str] | None = None
        self._span = self._height = 1
        self._depth = 0
        self._silent = 0

    def take_rows(self) -> list[NumberedRow]:
        ready, self._ready = self._ready, []
        return ready

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags += 1
        if tag in ("script", "style"):
            self._silent += 1
        elif tag == "table":
            self._depth += 1
        elif self._depth > 1:
            return
        elif tag == "tr":
            self.end_row()
            self._cells = []
        elif tag in ("td", "th"):
            self._end_cell()
            self._cells = [] if self._cells is None else self._cells
            self._pieces = []
            self._span = _span_of(attrs, "colspan", MAX_COLUMNS)
            self._height = _span_of(attrs, "rowspan", MAX_HEIGHT)
        elif tag == "br" and self._pieces is not None:
            self._pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.tags += 1
        if tag in ("script", "style"):
            self._silent = max(0, self._silent - 1)
        elif tag == "table":
            if self._depth == 1:
                self.end_row()
                self._occupied = {}
                self._facts.merges.end_at(self._number)
            self._depth = max(0, self._depth - 1)
        elif self._depth > 1:
            return
        elif tag == "tr":
            self.end_row()
        elif tag in ("td", "th"):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._pieces is not None and not self._silent and len(self._pieces) < LONGEST_CELL:
            self._pieces.append(data)

    def _end_cell(self) -> None:
        if self._pieces is None or self._cells is None:
            return
        text = " ".join("".join(self._pieces)[:LONGEST_CELL].split())
        self._pieces = None
        number = self._number + 1
        while self._occupied.get(len(self._cells), 0) >= number:
            self._cells.append("")
        if (first := len(self._cells)) >= MAX_COLUMNS:
            return
        self._cells += [text, *[""] * (self._span - 1)]
        last, last_row = min(first + self._span, MAX_COLUMNS) - 1, number + self._height - 1
        if self._height > 1:
            self._occupied.update(dict.fromkeys(range(first, last + 1), last_row))
        self._facts.merges.add(number, last_row, first, last)

    def end_row(self) -> None:
        self._end_cell()
        if self._cells is None:
            return
        self._number += 1
        if self._number > MAX_ROWS:
            raise Unreadable(FileProblem.UNREADABLE)
        if any(self._cells):
            self._facts.merges.fill(self._number, self._cells)
            self._ready.append((self._number, self._cells[:MAX_COLUMNS]))
        self._cells = None


def _span_of(attrs: list[tuple[str, str | None]], name: str, most: int) -> int:
    """Over how many columns or rows a cell goes."""
    value = dict(attrs).get(name) or "1"
    digits = value if value.isascii() and value.isdigit() and len(value) < 6 else "1"
    return min(max(int(digits), 1), most)
