"""Stream the sheets of an XLSX as rows of text.

A workbook is a ZIP of XML parts (ECMA-376): the sheets with their cells, the shared strings that
cells refer to, and the styles, which say how a number is shown. All parts are
untrusted input, so the unpacked size and the numbers of cells and strings are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import Any, Final

from .file_errors import FileProblem, Unreadable
from .sheet_facts import SheetFacts
from .xlsx_parts import MergeReader, SharedStrings, SheetRows
from .xlsx_values import CellStyles, NumberedRow
from .xml_parser import Attributes, BoundedParser, StartHandler
from .zip_parts import CHUNK, FILE_ERRORS, MAX_OTHER_PART, ZipParts

LONGEST_SHEET_NAME: Final = 64
MERGED: Final = tuple(
    "mergeCell".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be")
)


class Workbook:
    """An open workbook. Raises `Unreadable` from the constructor or from `rows`."""

    def __init__(self, file: Any, name: str) -> None:
        self.name = name
        try:
            self._parts = ZipParts(file)
            book = self._book_parts(name)
            self._styles = CellStyles(starts_1904=book.starts_1904)
            if book.styles:
                self._parse(book.styles, self._styles.element)
            self._texts = SharedStrings()
            if book.texts:
                self._parts.feed(book.texts, self._texts)
            self._sheets = book.sheets
            for sheet in book.sheets:
                self._parts.size_of(sheet.path)
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
        self._parts.close()

    def size_of(self, sheet: int) -> int:
        return self._parts.size_of(self._sheets[sheet].path)

    def rows(
        self, sheet: int | None = None, *, leave_out_hidden: bool = False
    ) -> Iterator[NumberedRow]:
        """Yield a sheet's rows with their row numbers. Empty rows are skipped."""
        path = self._sheets[self.front if sheet is None else sheet].path
        self.facts, self.bytes_read = SheetFacts(), 0
        rows = SheetRows(
            self._texts.texts, self._styles, self.facts, leave_out_hidden=leave_out_hidden
        )
        parser = BoundedParser(rows)
        try:
            if self._has_merged_cells(path):
                self._parts.feed(path, MergeReader(self.facts))
            with self._parts.open(path) as part:
                while chunk := part.read(CHUNK):
                    parser.feed(chunk)
                    self.bytes_read += len(chunk)
                    yield from rows.take_rows()
            parser.close()
        except FILE_ERRORS:
            raise Unreadable(FileProblem.UNREADABLE) from None
        yield from rows.take_rows()

    def _has_merged_cells(self, path: str) -> bool:
        """Whether they have to be read before the rows. To look for their name is quick."""
        rest = b""
        with self._parts.open(path) as part:
            while chunk := part.read(CHUNK):
                if any(name in rest + chunk for name in MERGED):
                    return True
                rest = chunk[-32:]
        return False

    def _book_parts(self, name: str) -> _BookParts:
        """Find the parts of the workbook."""
        found = self._relationships("").of("/officeDocument")
        path = found[0] if found else "xl/workbook.xml"
        if path not in self._parts or path.endswith(".bin"):
            raise Unreadable(_kind_of(self._parts.names()), name=name)
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

    def _relationships(self, path: str) -> _Relationships:
        """The relationships of a part."""
        folder = dirname(path)
        related = _Relationships(folder)
        name = join(folder, "_rels", f"{path.removeprefix(folder).lstrip('/')}.rels")
        if name in self._parts:
            self._parse(name, related.element)
        return related

    def _parse(self, path: str, start: Callable[[str, Attributes], None]) -> None:
        self._parts.feed(path, StartHandler(start), most=MAX_OTHER_PART)


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
