"""Stream the sheets of an XLSX as rows of text.

A workbook is a ZIP of XML parts (ECMA-376): the sheets with their cells, the shared strings that
cells refer to, and the styles, which say how a number is shown. All parts are
untrusted input, so the unpacked size and the numbers of cells and strings are bounded.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from os import SEEK_END
from posixpath import dirname, join, normpath
from typing import Any, Final
from xml.parsers import expat

from .file_errors import FileProblem, Unreadable
from .xlsx_parts import SharedStrings, SheetFacts, SheetRows
from .xlsx_values import CellStyles, NumberedRow
from .xml_parser import Attributes, BoundedParser, Handler, StartHandler

MAX_UNPACKED: Final = 400 * 1024 * 1024
SMALL: Final = 20 * 1024 * 1024
"""Unpacked bytes that any file may have. Beyond, `MAX_RATIO` limits them."""
MAX_RATIO: Final = 100
"""Unpacked bytes for each byte of the file. Sheets with repetitive rows reach about 30."""
MAX_ENTRIES: Final = 2_000
MAX_OTHER_PART: Final = 20 * 1024 * 1024
"""Unpacked bytes of a part that holds neither cells nor shared strings."""
CHUNK: Final = 64 * 1024
LONGEST_SHEET_NAME: Final = 64

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
        self.name = name
        try:
            self._zip = zipfile.ZipFile(file)
            self._refuse_zip_bomb(file.seek(0, SEEK_END))
            self._parts = {_part_name(one.filename): one for one in self._zip.infolist()}
            book = self._book_parts(name)
            self._styles = CellStyles(starts_1904=book.starts_1904)
            if book.styles:
                self._parse(book.styles, self._styles.element)
            self._texts = SharedStrings()
            if book.texts:
                self._feed(book.texts, self._texts)
            self._sheets = book.sheets
            for sheet in book.sheets:
                self._part(sheet.path)
        except FILE_ERRORS:
            raise Unreadable(FileProblem.UNREADABLE) from None
        self.sheet_names = [sheet.name for sheet in book.sheets]
        """The visible sheets."""
        self.front = book.front
        """Index of the sheet that was in front when the workbook was saved."""
        self.bytes_read = 0
        """Bytes of the sheet that were read."""
        self.facts = SheetFacts()
        """What the sheet that is being read hides or merges."""

    def close(self) -> None:
        self._zip.close()

    def size_of(self, sheet: int) -> int:
        return self._part(self._sheets[sheet].path).file_size

    def rows(
        self, sheet: int | None = None, *, leave_out_hidden: bool = False
    ) -> Iterator[NumberedRow]:
        """Yield a sheet's rows with their row numbers. Empty rows are skipped."""
        rows = SheetRows(self._texts.texts, self._styles, leave_out_hidden=leave_out_hidden)
        self.facts, self.bytes_read = rows.facts, 0
        parser = BoundedParser(rows)
        path = self._sheets[self.front if sheet is None else sheet].path
        try:
            with self._zip.open(self._part(path)) as part:
                while chunk := part.read(CHUNK):
                    parser.feed(chunk)
                    self.bytes_read += len(chunk)
                    yield from rows.take_rows()
            parser.close()
        except FILE_ERRORS:
            raise Unreadable(FileProblem.UNREADABLE) from None
        yield from rows.take_rows()

    def _refuse_zip_bomb(self, size: int) -> None:
        # The declared sizes are safe to use: `zipfile` never reads past them.
        entries = self._zip.infolist()
        unpacked = sum(one.file_size for one in entries)
        allowed = min(MAX_UNPACKED, max(SMALL, MAX_RATIO * size))
        if len(entries) > MAX_ENTRIES or unpacked > allowed:
            raise Unreadable(FileProblem.UNREADABLE)

    def _book_parts(self, name: str) -> _BookParts:
        """Find the parts of the workbook."""
        found = self._relationships("").of("/officeDocument")
        path = found[0] if found else "xl/workbook.xml"
        if _part_name(path) not in self._parts or path.endswith(".bin"):
            raise Unreadable(_kind_of(self._parts), name=name)
        contents = _WorkbookPart()
        self._parse(path, contents.element)
        if not contents.is_workbook:
            raise Unreadable(FileProblem.WRONG_KIND, name=name)
        related = self._relationships(path)
        paths = {key: related.targets.get(key, "") for _, key, _ in contents.sheets}
        kept = [
            (index, _Sheet(title, paths[key]))
            for index, (title, key, is_visible) in enumerate(contents.sheets)
            if is_visible and paths[key] in related.of("/worksheet")
        ]
        if not kept:
            raise Unreadable(FileProblem.UNREADABLE)
        in_front = [place for place, (index, _) in enumerate(kept) if index == contents.active]
        return _BookParts(
            sheets=[sheet for _, sheet in kept],
            front=in_front[0] if in_front else 0,
            texts=next(iter(related.of("/sharedStrings")), None),
            styles=next(iter(related.of("/styles")), None),
            starts_1904=contents.starts_1904,
        )

    def _part(self, path: str) -> zipfile.ZipInfo:
        return self._parts[_part_name(path)]

    def _relationships(self, path: str) -> _Relationships:
        """The relationships of a part."""
        folder = dirname(path)
        related = _Relationships(folder)
        name = join(folder, "_rels", f"{path.removeprefix(folder).lstrip('/')}.rels")
        if _part_name(name) in self._parts:
            self._parse(name, related.element)
        return related

    def _parse(self, path: str, start: Callable[[str, Attributes], None]) -> None:
        if self._part(path).file_size > MAX_OTHER_PART:
            raise Unreadable(FileProblem.UNREADABLE)
        self._feed(path, StartHandler(start))

    def _feed(self, path: str, handler: Handler) -> None:
        parser = BoundedParser(handler)
        with self._zip.open(self._part(path)) as part:
            while chunk := part.read(CHUNK):
                parser.feed(chunk)
        parser.close()


def _part_name(path: str) -> str:
    """Part names ignore case (ECMA-376, part 2); some programs write backslashes."""
    return path.replace("\\", "/").lstrip("/").casefold()


def _kind_of(parts: Iterable[str]) -> FileProblem:
    """What a ZIP without the parts of an XLSX is."""
    names = set(parts)
    if "xl/workbook.bin" in names:
        return FileProblem.BINARY_EXCEL
    if any(name.endswith(".iwa") for name in names) or "index.zip" in names:
        return FileProblem.NUMBERS
    if "mimetype" in names and "content.xml" in names:
        return FileProblem.OPEN_DOCUMENT
    return FileProblem.WRONG_KIND


@dataclass(frozen=True)
class _Sheet:
    name: str
    path: str


@dataclass(frozen=True)
class _BookParts:
    sheets: list[_Sheet]
    """The visible ones."""
    front: int
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
        self.active = 0
        """Index of the sheet in front, among all."""
        self.sheets: list[tuple[str, str, bool]] = []
        """Name, relationship id and visibility of each sheet, in order."""

    def element(self, name: str, attributes: Attributes) -> None:
        word = name.rpartition(" ")[2]
        if self.is_workbook is None:
            self.is_workbook = word == "workbook"
        elif word == "workbookPr":
            self.starts_1904 = attributes.get("date1904") in ("1", "true")
        elif word == "workbookView":
            active = attributes.get("activeTab", "0")
            self.active = int(active) if active.isascii() and active.isdigit() else 0
        elif word == "sheet":
            ids = [value for key, value in attributes.items() if key.endswith(" id")]
            title = attributes.get("name", "")[:LONGEST_SHEET_NAME]
            is_visible = attributes.get("state", "visible") == "visible"
            if ids:
                self.sheets.append((title, ids[0], is_visible))
