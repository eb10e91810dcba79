"""Stream the first visible sheet of an XLSX as rows of text.

A workbook is a ZIP of XML parts (ECMA-376): the sheet with its cells, the shared strings that
cells refer to, and the styles, which alone distinguish dates from numbers. All parts are
untrusted input, so the unpacked size and the numbers of cells and strings are bounded.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import Any, Final
from xml.parsers import expat

from .file_errors import FileProblem, Unreadable
from .xlsx_parts import Attributes, SharedStrings, SheetRows
from .xlsx_values import DateStyles, NumberedRow

MAX_UNPACKED: Final = 400 * 1024 * 1024
MAX_ENTRIES: Final = 2_000
MAX_OTHER_PART: Final = 20 * 1024 * 1024
"""Unpacked bytes of a part that holds neither cells nor shared strings."""
CHUNK: Final = 64 * 1024

FILE_ERRORS: Final = (
    expat.ExpatError,
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    ValueError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
)
"""What damaged or protected files raise. An encrypted ZIP raises RuntimeError."""


class Workbook:
    """An open workbook. Raises `Unreadable` from the constructor or from `rows`."""

    def __init__(self, file: Any, name: str) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
            self._refuse_zip_bomb()
            book = self._book_parts(name)
            self._date_styles = DateStyles(book.starts_1904)
            if book.styles:
                self._parse(book.styles, self._date_styles.element)
            self._texts = SharedStrings()
            if book.texts:
                parser = _parser(self._texts.start, self._texts.end, self._texts.add_text)
                self._feed(book.texts, parser)
            self._sheet = book.sheet
            self.size = self._zip.getinfo(book.sheet).file_size
        except FILE_ERRORS:
            raise Unreadable(FileProblem.UNREADABLE) from None
        self.bytes_read = 0
        """Bytes of the sheet that were read, out of `size`."""

    def close(self) -> None:
        self._zip.close()

    def rows(self) -> Iterator[NumberedRow]:
        """Yield the rows with their row numbers. Empty rows are skipped."""
        rows = SheetRows(self._texts.texts, self._date_styles)
        parser = _parser(rows.start, rows.end, rows.add_text)
        try:
            with self._zip.open(self._sheet) as part:
                while chunk := part.read(CHUNK):
                    parser.Parse(chunk)
                    self.bytes_read += len(chunk)
                    yield from rows.take_rows()
            parser.Parse(b"", True)
        except FILE_ERRORS:
            raise Unreadable(FileProblem.UNREADABLE) from None
        yield from rows.take_rows()

    def _refuse_zip_bomb(self) -> None:
        # The declared sizes are safe to use: `zipfile` never reads past them.
        entries = self._zip.infolist()
        if len(entries) > MAX_ENTRIES or sum(one.file_size for one in entries) > MAX_UNPACKED:
            raise Unreadable(FileProblem.UNREADABLE)

    def _book_parts(self, name: str) -> _BookParts:
        """Find the parts of the workbook."""
        found = self._relationships("").of("/officeDocument")
        path = found[0] if found else "xl/workbook.xml"
        if path not in self._zip.namelist() or path.endswith(".bin"):
            raise Unreadable(FileProblem.WRONG_KIND, name=name)
        contents = _WorkbookPart()
        self._parse(path, contents.element)
        if not contents.is_workbook:
            raise Unreadable(FileProblem.WRONG_KIND, name=name)
        related = self._relationships(path)
        sheets = related.of("/worksheet")
        visible = [related.targets[key] for key in contents.sheets if key in related.targets]
        sheet = next((path for path in visible if path in sheets), None)
        if sheet is None:
            raise Unreadable(FileProblem.UNREADABLE)
        return _BookParts(
            sheet=sheet,
            texts=next(iter(related.of("/sharedStrings")), None),
            styles=next(iter(related.of("/styles")), None),
            starts_1904=contents.starts_1904,
        )

    def _relationships(self, path: str) -> _Relationships:
        """The relationships of a part."""
        folder = dirname(path)
        related = _Relationships(folder)
        name = join(folder, "_rels", f"{path.removeprefix(folder).lstrip('/')}.rels")
        if name in self._zip.namelist():
            self._parse(name, related.element)
        return related

    def _parse(self, path: str, start: Callable[[str, Attributes], None]) -> None:
        if self._zip.getinfo(path).file_size > MAX_OTHER_PART:
            raise Unreadable(FileProblem.UNREADABLE)
        self._feed(path, _parser(start))

    def _feed(self, path: str, parser: Any) -> None:
        with self._zip.open(path) as part:
            while chunk := part.read(CHUNK):
                parser.Parse(chunk)
        parser.Parse(b"", True)


def _parser(
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    add_text: Callable[[str], None] | None = None,
) -> Any:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = add_text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> None:
    """Guard against entity expansion. No spreadsheet program writes a doctype."""
    raise Unreadable(FileProblem.UNREADABLE)


@dataclass(frozen=True)
class _BookParts:
    sheet: str
    """The first visible sheet."""
    texts: str | None
    styles: str | None
    starts_1904: bool


@dataclass
class _Relationships:
    folder: str
    targets: dict[str, str] = field(default_factory=dict)
    """Paths by relationship id."""
    _types: dict[str, str] = field(default_factory=dict)

    def element(self, name: str, attributes: Attributes) -> None:
        if name.endswith(" Relationship") and attributes.get("TargetMode") != "External":
            target = normpath(join("/", self.folder, attributes["Target"])).lstrip("/")
            self.targets[attributes["Id"]] = target
            self._types[target] = attributes["Type"]

    def of(self, kind: str) -> list[str]:
        return [path for path, known in self._types.items() if known.endswith(kind)]


class _WorkbookPart:
    """Handler for the elements of the workbook part."""

    def __init__(self) -> None:
        self.is_workbook: bool | None = None
        self.starts_1904 = False
        self.sheets: list[str] = []
        """Relationship ids of the visible sheets, in order."""

    def element(self, name: str, attributes: Attributes) -> None:
        word = name.rpartition(" ")[2]
        if self.is_workbook is None:
            self.is_workbook = word == "workbook"
        elif word == "workbookPr":
            self.starts_1904 = attributes.get("date1904") in ("1", "true")
        elif word == "sheet" and attributes.get("state", "visible") == "visible":
            ids = [value for key, value in attributes.items() if key.endswith(" id")]
            self.sheets.extend(ids[:1])
