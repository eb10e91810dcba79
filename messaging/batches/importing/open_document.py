"""Sheets of OpenDocument files (ISO/IEC 26300), as LibreOffice and WPS save them."""

from __future__ import annotations

import re
from typing import Any, Final

from .file_errors import FileProblem, Unreadable
from .number_formats import general
from .sheet_facts import MAX_COLUMNS, MAX_PIECES, MAX_ROWS
from .sheet_stream import SheetsHandler
from .shortened import is_shortened
from .xlsx_values import LONGEST_CELL
from .xml_parser import Attributes, StartHandler
from .zip_parts import MAX_OTHER_PART, ZipParts

CONTENT: Final = "content.xml"
MIME_TYPE: Final = "application/vnd.oasis.opendocument.spreadsheet"
_NAMES: Final = "urn:oasis:names:tc:opendocument:xmlns:"
OFFICE, TABLE, TEXT, STYLE = (
    f"{_NAMES}{name}:1.0 " for name in ("office", "table", "text", "style")
)
SHEET, ROW, GROUP = f"{TABLE}table", f"{TABLE}table-row", f"{TABLE}table-row-group"
CELL: Final = f"{TABLE}table-cell"
CELLS: Final = frozenset([CELL, f"{TABLE}covered-table-cell"])
PROPERTIES: Final = f"{STYLE}table-properties"
LINES: Final = frozenset([f"{TEXT}p", f"{TEXT}h"])
KIND: Final = f"{OFFICE}value-type"
VALUE: Final = f"{OFFICE}value"
ERROR: Final = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 value-type"
NOT_SHOWN: Final = frozenset(
    [f"{OFFICE}annotation", f"{TEXT}note", f"{TEXT}ruby-text", SHEET, f"{TABLE}detective"]
)
"""Parts of a cell whose text does not stand in it."""
DRAWING: Final = (f"{_NAMES}drawing:1.0 ", f"{_NAMES}dr3d:1.0 ", f"{_NAMES}form:1.0 ")
NO_SHEETS: Final = frozenset([f"{TABLE}tracked-changes", f"{TABLE}shapes", f"{OFFICE}forms"])
SIGNS: Final = {f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n"}
_BLANKS: Final = re.compile(r"[ \t\r\n]+")


def is_protected(parts: ZipParts) -> bool:
    """Whether the file needs a password."""
    if "encrypted-package" in parts:
        return True
    found = []

    def look(name: str, attributes: Attributes) -> None:
        if name.endswith(" encryption-data"):
            found.append(name)

    if "META-INF/manifest.xml" in parts:
        parts.feed("META-INF/manifest.xml", StartHandler(look), most=MAX_OTHER_PART)
    return bool(found)


def front_sheet(parts: ZipParts) -> str:
    """The name of the sheet that was in front; empty if the settings do not state it."""
    if "settings.xml" not in parts:
        return ""
    settings = _Settings()
    parts.feed("settings.xml", settings, most=MAX_OTHER_PART)
    return settings.front


class _Settings(StartHandler):
    def __init__(self) -> None:
        super().__init__(self._look)
        self.front = ""
        self._is_inside = False

    def _look(self, name: str, attributes: Attributes) -> None:
        names = (value for key, value in attributes.items() if key.endswith(" name"))
        self._is_inside = name.endswith(" config-item") and "ActiveTable" in names

    def add_text(self, piece: str) -> None:
        if self._is_inside and len(self.front) < LONGEST_CELL:
            self.front += piece

    def end(self, name: str) -> None:
        super().end(name)
        self._is_inside = False


class OpenDocumentSheets(SheetsHandler):
    """Handler for content.xml, or for a whole document in one XML file."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._style = ""
        self._hidden_styles: set[str] = set()
        self._skipped_at = 0
        """Depth of the element whose content is skipped; 0 if none is."""
        self._is_in_table = False
        self._hidden_groups: list[bool] = []
        self._times = 1
        self._table_column = 0
        self._cell: Attributes | None = None
        self._pieces: list[str] = []
        self._lines = 0
        self._is_in_line = 0

    def start(self, name: str, attributes: Attributes) -> None:
        self._count()
        if self._skipped_at:
            return
        if self._cell is not None:
            self._start_in_cell(name, attributes)
        elif name in NO_SHEETS:
            self._skipped_at = self.depth
        elif not self._is_in_table:
            self._start_outside(name, attributes)
        elif self._collects:
            self._start_in_table(name, attributes)

    def _start_in_table(self, name: str, attributes: Attributes) -> None:
        if name in CELLS:
            self._start_cell(name, attributes)
        elif name == ROW:
            self._begin_row(0, is_hidden=_is_hidden(attributes) or any(self._hidden_groups))
            self._times = _times(attributes, "rows-repeated", MAX_ROWS + 1)
        elif name == f"{TABLE}table-column":
            first = self._table_column
            self._table_column += _times(attributes, "columns-repeated", MAX_ROWS)
            if _is_hidden(attributes):
                self.facts.hide_columns(first, self._table_column - 1)
        elif name == GROUP:
            self._hidden_groups.append(attributes.get(f"{TABLE}display") == "false")

    def _start_outside(self, name: str, attributes: Attributes) -> None:
        if name == SHEET:
            self._is_in_table = True
            self._table_column, self._hidden_groups = 0, []
            self._begin_sheet(attributes.get(f"{TABLE}name", ""))
            style = attributes.get(f"{TABLE}style-name")
            self.sheets[-1].is_visible = style not in self._hidden_styles
        elif name == f"{STYLE}style":
            self._style = attributes.get(f"{STYLE}name", "")
        elif name == PROPERTIES and attributes.get(f"{TABLE}display") == "false":
            self._hidden_styles.add(self._style)

    def _start_cell(self, name: str, attributes: Attributes) -> None:
        self._cell = attributes
        self._pieces, self._lines, self._is_in_line = [], 0, 0
        if name == CELL:
            wide = _times(attributes, "columns-spanned", MAX_COLUMNS)
            high = _times(attributes, "rows-spanned", MAX_ROWS)
            column, row = self._column, self._number
            self.facts.merges.add(row, row + high - 1, column, column + wide - 1)

    def _start_in_cell(self, name: str, attributes: Attributes) -> None:
        if name in NOT_SHOWN or name.startswith(DRAWING):
            self._skipped_at = self.depth
        elif name in LINES:
            if self._lines:
                self._add_piece("\n")
            self._lines += 1
            self._is_in_line += 1
        elif name == f"{TEXT}s":
            count = attributes.get(f"{TEXT}c", "1")
            self._add_piece(" " * (int(count) if count.isdigit() and len(count) < 4 else 1))
        elif name in SIGNS:
            self._add_piece(SIGNS[name])

    def add_text(self, piece: str) -> None:
        if self._is_in_line and not self._skipped_at:
            self._add_piece(_BLANKS.sub(" ", piece))

    def _add_piece(self, piece: str) -> None:
        if len(self._pieces) < MAX_PIECES:
            self._pieces.append(piece)

    def end(self, name: str) -> None:
        self.depth -= 1
        if self._skipped_at:
            if self.depth < self._skipped_at:
                self._skipped_at = 0
        elif self._cell is not None:
            self._end_in_cell(name, self._cell)
        elif name == ROW and self._collects:
            self._end_row(self._times)
        elif name == GROUP and self._hidden_groups:
            self._hidden_groups.pop()
        elif name == SHEET and self._is_in_table:
            self._is_in_table = False
            self._end_sheet()

    def _end_in_cell(self, name: str, cell: Attributes) -> None:
        if name in CELLS:
            times = _times(cell, "columns-repeated", MAX_ROWS)
            self._add_cell(_shown(cell, "".join(self._pieces)), times)
            self._cell = None
        elif name in LINES:
            self._is_in_line -= 1


def _shown(cell: Attributes, text: str) -> str:
    """The text of a cell as the sheet shows it."""
    kind = cell.get(KIND, "")
    if cell.get(ERROR) == "error":
        # A failed formula must never reach a recipient.
        return ""
    if kind in ("float", "currency") and (not text or is_shortened(text)):
        # Only the display is shortened, or the program that wrote the file stores none.
        return general(float(cell.get(VALUE, "")))
    if text:
        return text
    if kind == "string":
        return cell.get(f"{OFFICE}string-value", "")
    if kind == "percentage":
        return f"{general(round(float(cell.get(VALUE, '')) * 100, 10))}%"
    if kind == "boolean":
        return "TRUE" if cell.get(f"{OFFICE}boolean-value") == "true" else "FALSE"
    return cell.get(f"{OFFICE}date-value", "").replace("T", " ")


def _is_hidden(attributes: Attributes) -> bool:
    return attributes.get(f"{TABLE}visibility", "visible") in ("collapse", "filter")


def _times(attributes: Attributes, name: str, most: int) -> int:
    """How often something is repeated, or over how many columns or rows it goes."""
    value = attributes.get(f"{TABLE}number-{name}")
    if value is None:
        return 1
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Unreadable(FileProblem.UNREADABLE)
    return min(max(int(value), 1), most)
