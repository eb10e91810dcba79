"""Sheets of XML Spreadsheet 2003, an older format of Excel that many programs export."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from .date_formats import EPOCH
from .encodings import OpenFile
from .number_formats import compile_format
from .sheet_facts import MAX_PIECES, MAX_ROWS
from .sheet_stream import SheetsHandler
from .xlsx_values import Format, SystemDate, cell_text
from .xml_parser import Attributes

NAMESPACE: Final = "urn:schemas-microsoft-com:office:spreadsheet"
_SHEET: Final = f"{NAMESPACE} "
_EXCEL: Final = "urn:schemas-microsoft-com:office:excel "
WORDS: Final = {
    f"{_SHEET}{word}": word
    for word in (
        "Worksheet", "Style", "NumberFormat", "Row", "Column", "Cell", "Data", "Comment",
        "PhoneticText",
    )
}  # fmt: skip
"""Elements of the format by their names."""
SETTINGS: Final = {f"{_EXCEL}{word}": word for word in ("Visible", "ActiveSheet", "Date1904")}
COMMENTS: Final = frozenset({"Comment", "PhoneticText"})
NAMED_FORMATS: Final = {
    "General Number": "General", "Currency": "#,##0.00", "Euro Currency": "#,##0.00",
    "Fixed": "0.00", "Standard": "#,##0.00", "Percent": "0.00%", "Scientific": "General",
    "Yes/No": '"Yes";"Yes";"No"', "True/False": '"True";"True";"False"',
    "On/Off": '"On";"On";"Off"', "Medium Date": "d-mmm-yy", "Medium Time": "h:mm AM/PM",
    "Short Time": "h:mm",
}  # fmt: skip
BY_SYSTEM: Final = frozenset({"General Date", "Long Date", "Short Date", "Long Time"})
_ENCODING: Final = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w-]{2,20})[\"']")
_DECLARATION: Final = re.compile(r"\s*<\?xml[^>]{0,200}\?>")
LARGER: Final = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "cp950", "shift_jis": "cp932",
                 "euc_kr": "cp949"}  # fmt: skip
"""Encodings of several bytes, which the parser does not know, each as Windows programs mean it."""


class XmlSheets(SheetsHandler):
    """Handler for the whole file."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._formats: dict[str, Format | None] = {}
        self._codes: dict[str, str] = {}
        self._style_id = ""
        self._starts_1904 = False
        self._in_sheet = False
        self._in_cell = False
        self._in_comment = False
        self._in_data = False
        self._word = ""
        """The element of Excel's own whose text is read."""
        self._span = self._across = 0
        self._style = self._type = ""
        self._pieces: list[str] = []
        self._table_column = 0

    def start(self, name: str, attributes: Attributes) -> None:
        self._count()
        if (word := WORDS.get(name)) is not None:
            self._start_own(word, _own(attributes) if attributes else attributes)
        elif name in SETTINGS and not self._in_cell:
            self._word, self._pieces = SETTINGS[name], []

    def _start_own(self, word: str, attributes: Attributes) -> None:
        if word == "Worksheet":
            self._in_sheet, self._table_column = True, 0
            self._begin_sheet(attributes.get("Name", ""))
        elif word == "Style":
            self._style_id = attributes.get("ID", "")
            self._codes[self._style_id] = self._codes.get(attributes.get("Parent", ""), "")
        elif word == "NumberFormat":
            self._codes[self._style_id] = attributes.get("Format", "")
        elif self._collects:
            self._start_in_sheet(word, attributes)

    def _start_in_sheet(self, word: str, attributes: Attributes) -> None:
        if word == "Cell":
            self._start_cell(attributes)
        elif word == "Data":
            if not self._in_comment:
                self._in_data, self._type = True, attributes.get("Type", "String")
        elif word == "Row":
            hidden = attributes.get("Hidden") == "1" or attributes.get("Height") == "0"
            self._begin_row(_whole(attributes, "Index"), is_hidden=hidden)
            self._span = min(_whole(attributes, "Span"), MAX_ROWS)
        elif word == "Column":
            first = max(self._table_column, _whole(attributes, "Index") - 1)
            self._table_column = first + 1 + min(_whole(attributes, "Span"), MAX_ROWS)
            if attributes.get("Hidden") == "1":
                self.facts.hide_columns(first, self._table_column - 1)
        elif word in COMMENTS:
            self._in_comment = True

    def _start_cell(self, attributes: Attributes) -> None:
        self._in_cell, self._type, self._pieces = True, "String", []
        self._style = attributes.get("StyleID", "")
        self._column = max(self._column, _whole(attributes, "Index") - 1)
        self._across = min(_whole(attributes, "MergeAcross"), MAX_ROWS)
        row, column = self._number, self._column
        down = min(_whole(attributes, "MergeDown"), MAX_ROWS)
        self.facts.merges.add(row, row + down, column, column + self._across)

    def add_text(self, piece: str) -> None:
        if (self._in_data or self._word) and len(self._pieces) < MAX_PIECES:
            self._pieces.append(piece)

    def end(self, name: str) -> None:
        self.depth -= 1
        word = WORDS.get(name)
        if word is None:
            if name in SETTINGS and self._word:
                self._end_word("".join(self._pieces).strip())
        elif word == "Data":
            self._in_data = False
        elif word in COMMENTS:
            self._in_comment = False
        elif word == "Worksheet":
            self._in_sheet = False
            self._end_sheet()
        elif self._collects:
            self._end_in_sheet(word)

    def _end_in_sheet(self, word: str) -> None:
        if word == "Cell" and self._in_cell:
            self._add_cell(self._shown("".join(self._pieces)))
            self._column += self._across
            self._in_cell = False
        elif word == "Row":
            self._end_row()
            self._number = min(self._number + self._span, MAX_ROWS)

    def _end_word(self, text: str) -> None:
        if self._word == "ActiveSheet":
            self.front = text
        elif self._word == "Date1904":
            self._starts_1904 = True
        elif self._in_sheet and text in ("SheetHidden", "SheetVeryHidden"):
            self.sheets[-1].is_visible = False
        self._word = ""

    def _shown(self, value: str) -> str:
        if not value:
            return ""
        shown_as = self._format_of(self._style)
        if self._type == "DateTime":
            at = datetime.fromisoformat(value.strip()).replace(tzinfo=None)
            serial = (at - EPOCH).total_seconds() / 86_400
            shown = shown_as or SystemDate()
            return shown.show(serial, starts_1904=False)
        kind = {"Number": "n", "Boolean": "b", "Error": "e"}.get(self._type, "str")
        value = value if kind == "str" else value.strip()
        return cell_text(value, kind, shown_as, starts_1904=self._starts_1904)

    def _format_of(self, style: str) -> Format | None:
        if style not in self._formats:
            code = self._codes.get(style) or self._codes.get("Default", "")
            self._formats[style] = (
                SystemDate() if code in BY_SYSTEM else compile_format(NAMED_FORMATS.get(code, code))
            )
        return self._formats[style]


def _own(attributes: Attributes) -> Attributes:
    """The attributes of the format by their words, with or without a prefix."""
    return {key.removeprefix(_SHEET): value for key, value in attributes.items()}


def _whole(attributes: Attributes, name: str) -> int:
    value = attributes.get(name, "0")
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise ValueError(name)
    return int(value)


class _Transcoded:
    """A stream in UTF-8 of one in another encoding."""

    def __init__(self, file: Any, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._is_first = True

    def read(self, size: int) -> bytes:
        text, chunk = "", b"-"
        while chunk and not text:
            # A chunk may be no more than the first half of a sign.
            chunk = bytes(self._file.read(size) or b"")
            text = self._decoder.decode(chunk, final=not chunk)
        if self._is_first:
            # It no longer has the encoding that it declares.
            text, self._is_first = _DECLARATION.sub("", text, count=1), False
        return text.encode()


@contextmanager
def open_xml(open_file: OpenFile) -> Iterator[Any]:
    """The file as bytes that the parser can read."""
    declared = _ENCODING.search(bytes(open_file().read(512) or b""))
    file: Any = open_file()
    if declared:
        try:
            encoding = codecs.lookup(declared[1].decode("ascii")).name
        except LookupError:
            encoding = ""
        if encoding in LARGER or encoding in LARGER.values():
            file = _Transcoded(file, LARGER.get(encoding, encoding))
    yield file
