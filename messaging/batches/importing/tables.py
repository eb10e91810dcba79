"""Open CSV files of any encoding, XLSX workbooks and web pages with a table, as tables.

A table yields rows of text with their spreadsheet row numbers. Only the current row is in
memory, and for an XLSX also its shared strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from tempfile import TemporaryFile
from typing import Any, Final

from ..choices import Choices
from .columns import SAMPLE, columns_of
from .csv_table import open_csv
from .encodings import Encoding, OpenFile, encoding_of
from .file_errors import FileProblem, Unreadable
from .html_table import html_encoding, html_rows, is_html
from .xlsx import Workbook
from .xlsx_parts import SheetFacts
from .xlsx_values import NumberedRow

BLOCK: Final = 64 * 1024
BEGINNING: Final = 1024
OTHER_FORMATS: Final = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF-", b"\x1f\x8b", b"Rar!\x1a")
AMBIGUOUS_FORMATS: Final = (b"RIFF", b"BM")
"""Other formats too, but only if zero bytes follow: a heading may begin with these letters."""
COMPOUND_FILE: Final = b"\xd0\xcf\x11\xe0"
"""Old Excel workbooks, and any workbook with a password."""
BEFORE_COMPOUND: Final = tuple(bytes((9, version)) for version in (0, 2, 4, 8))
"""The first record of an Excel workbook of before 1993."""
ZIP: Final = b"PK\x03\x04"
MAX_SAMPLED_SHEETS: Final = 20
SPREADSHEET_XML: Final = b"urn:schemas-microsoft-com:office:spreadsheet"


@dataclass(frozen=True)
class Table:
    rows: Iterator[NumberedRow]
    total: int
    """Total size in the unit of `bytes_read`; 0 if it is unknown."""
    bytes_read: Callable[[], int]
    close: Callable[[], None] = lambda: None
    encoding: Encoding | None = None
    sheets: list[str] = field(default_factory=list)
    sheet: int = 0
    """Index of the sheet that is read."""
    facts: Callable[[], SheetFacts] = SheetFacts
    """What the sheet hides; complete after the last row."""


def open_table(
    open_file: OpenFile,
    name: str,
    size: int,
    choices: Choices = Choices(),  # noqa: B008
) -> Table:
    """Open a file by its content, not by its name. Raises `Unreadable`, now or from `rows`."""
    beginning = bytes(open_file().read(BEGINNING) or b"")
    if not beginning:
        raise Unreadable(FileProblem.EMPTY)
    if beginning.startswith(ZIP):
        return _xlsx(open_file, name, choices)
    if beginning.startswith(COMPOUND_FILE):
        raise Unreadable(_kind_of_compound_file(open_file()), name=name)
    if beginning.startswith(BEFORE_COMPOUND) and 0 in beginning:
        raise Unreadable(FileProblem.OLD_EXCEL, name=name)
    if beginning.startswith(OTHER_FORMATS) or (
        beginning.startswith(AMBIGUOUS_FORMATS) and 0 in beginning[:64]
    ):
        raise Unreadable(FileProblem.WRONG_KIND, name=name)
    if is_html(beginning):
        return _html(open_file, name, size, choices)
    if beginning.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<?xml"):
        raise Unreadable(FileProblem.XML, name=name)
    encoding = encoding_of(open_file, choices.encoding)
    rows, file = open_csv(open_file, encoding)
    return Table(rows, size, lambda: _progress(file), encoding=encoding)


def _progress(file: Any) -> int:
    return int(file.bytes_read)


def _kind_of_compound_file(file: Any) -> FileProblem:
    """Names of streams in a compound file are UTF-16; the directory may be anywhere."""
    rest, is_workbook = b"", False
    while chunk := file.read(BLOCK):
        seen = rest + chunk
        if "EncryptedPackage".encode("utf-16-le") in seen:
            return FileProblem.PROTECTED
        is_workbook = is_workbook or any(
            stream.encode("utf-16-le") in seen for stream in ("Workbook\0", "Book\0")
        )
        rest = seen[-64:]
    return FileProblem.OLD_EXCEL if is_workbook else FileProblem.UNREADABLE


def _html(open_file: OpenFile, name: str, size: int, choices: Choices) -> Table:
    encoding = html_encoding(open_file, choices.encoding)
    file = open_file()
    rows = html_rows(file, encoding.name, name)
    return Table(rows, size, lambda: _progress(file), encoding=encoding)


def _xlsx(open_file: OpenFile, name: str, choices: Choices) -> Table:
    file = TemporaryFile()  # noqa: SIM115 - closed with the table
    try:
        source = open_file()
        while chunk := source.read(BLOCK):
            file.write(chunk)
        book = Workbook(file, name)
        sheet = _sheet_to_read(book, choices)
    except Unreadable:
        file.close()
        raise

    def close() -> None:
        book.close()
        file.close()

    return Table(
        book.rows(sheet, leave_out_hidden=choices.leave_out_hidden),
        book.size_of(sheet),
        lambda: book.bytes_read,
        close,
        sheets=book.sheet_names,
        sheet=sheet,
        facts=lambda: book.facts,
    )


def _sheet_to_read(book: Workbook, choices: Choices) -> int:
    """The chosen sheet, or the one in front, or the first one with numbers if that has none."""
    count = len(book.sheet_names)
    if choices.sheet is not None and 0 <= choices.sheet < count:
        return choices.sheet
    if count == 1:
        return 0
    others = [sheet for sheet in range(count) if sheet != book.front]
    for sheet in (book.front, *others[:MAX_SAMPLED_SHEETS]):
        sample = list(islice(book.rows(sheet), SAMPLE))
        if sample and columns_of(sample).number is not None:
            return sheet
    return book.front
