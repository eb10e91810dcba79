"""Open files of recipients as tables, by their content and not by their names.

CSV files of any encoding, XLSX, OpenDocument and XML Spreadsheet 2003 workbooks, and web pages
with a table. A table yields rows of text with their spreadsheet row numbers. Only the current row
is in memory, and for an XLSX also its shared strings.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import islice
from tempfile import TemporaryFile
from typing import Any, Final

from ..choices import Choices
from .columns import SAMPLE, columns_of
from .csv_table import open_csv
from .encodings import Encoding, OpenFile, encoding_of
from .file_errors import FileProblem, Unreadable
from .html_table import HtmlTable, html_encoding, is_html
from .open_document import CONTENT, MIME_TYPE, OpenDocumentSheets, front_sheet, is_protected
from .sheet_facts import SheetFacts
from .sheet_stream import MAX_SAMPLED_SHEETS, SheetsHandler, StreamBook
from .xlsx import Workbook
from .xlsx_values import NumberedRow
from .xml_2003 import NAMESPACE, XmlSheets, open_xml
from .zip_parts import FILE_ERRORS, ZipParts

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
XML: Final = (b"<?xml", b"<?mso-application", b"<Workbook", b"<office:document")
OPEN_DOCUMENT: Final = b"urn:oasis:names:tc:opendocument"


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
        return _zipped(open_file, name, choices)
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
    if (handler := _xml_handler(beginning, name)) is not None:
        return _stream(lambda: open_xml(open_file), size, handler, choices, name)
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


def _xml_handler(beginning: bytes, name: str) -> type[SheetsHandler] | None:
    """What reads this XML file; None if it is none. Raises `Unreadable` if nothing does."""
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        beginning = beginning[2:].replace(b"\0", b"")
    beginning = beginning.removeprefix(codecs.BOM_UTF8).lstrip()
    if not beginning.startswith(XML):
        return None
    if NAMESPACE.encode() in beginning:
        return XmlSheets
    if OPEN_DOCUMENT in beginning:
        return OpenDocumentSheets
    raise Unreadable(FileProblem.XML, name=name)


def _html(open_file: OpenFile, name: str, size: int, choices: Choices) -> Table:
    encoding = html_encoding(open_file, choices.encoding)
    file = open_file()
    page = HtmlTable()
    rows = page.rows(file, encoding.name, name)
    return Table(rows, size, lambda: _progress(file), encoding=encoding, facts=lambda: page.facts)


def _zipped(open_file: OpenFile, name: str, choices: Choices) -> Table:
    with ExitStack() as opened:
        file = opened.enter_context(TemporaryFile())
        source = open_file()
        while chunk := source.read(BLOCK):
            file.write(chunk)
        try:
            parts = ZipParts(file)
            if "mimetype" in parts and CONTENT in parts:
                table = _open_document(parts, name, choices)
            else:
                table = _xlsx(Workbook(file, name), choices)
        except FILE_ERRORS:
            raise Unreadable(FileProblem.UNREADABLE) from None
        return replace(table, close=opened.pop_all().close)


def _xlsx(book: Workbook, choices: Choices) -> Table:
    def has_numbers(sheet: int) -> bool:
        return _has_numbers(list(islice(book.rows(sheet), SAMPLE)), book.facts)

    sheet = _sheet_to_read(len(book.sheet_names), book.front, has_numbers, choices)
    return Table(
        book.rows(sheet, leave_out_hidden=choices.leave_out_hidden),
        book.size_of(sheet),
        lambda: book.bytes_read,
        sheets=book.sheet_names,
        sheet=sheet,
        facts=lambda: book.facts,
    )


def _open_document(parts: ZipParts, name: str, choices: Choices) -> Table:
    with parts.open("mimetype") as part:
        kind = part.read(len(MIME_TYPE))
    if kind != MIME_TYPE.encode():
        raise Unreadable(FileProblem.OPEN_DOCUMENT, name=name)
    if is_protected(parts):
        raise Unreadable(FileProblem.PROTECTED)
    size, front = parts.size_of(CONTENT), front_sheet(parts)
    return _stream(lambda: parts.open(CONTENT), size, OpenDocumentSheets, choices, name, front)


def _stream(
    open_part: Callable[[], Any],
    size: int,
    handler: type[SheetsHandler],
    choices: Choices,
    name: str,
    front: str = "",
) -> Table:
    book = StreamBook(open_part, size, handler, sampled=SAMPLE, has_numbers=_has_numbers)
    if not book.sheet_names:
        is_other = handler is OpenDocumentSheets
        raise Unreadable(FileProblem.OPEN_DOCUMENT if is_other else FileProblem.XML, name=name)
    count = len(book.sheet_names)
    sheet = _sheet_to_read(count, book.front(front), book.has_numbers, choices)
    return Table(
        book.rows(sheet, leave_out_hidden=choices.leave_out_hidden),
        size,
        lambda: book.bytes_read,
        sheets=book.sheet_names,
        sheet=sheet,
        facts=lambda: book.facts,
    )


def _has_numbers(sample: Sequence[NumberedRow], facts: SheetFacts) -> bool:
    return bool(sample) and columns_of(sample, merges=facts.merges).number is not None


def _sheet_to_read(
    count: int, front: int, has_numbers: Callable[[int], bool], choices: Choices
) -> int:
    """The chosen sheet, or the one in front, or the first one with numbers if that has none."""
    if choices.sheet is not None and 0 <= choices.sheet < count:
        return choices.sheet
    if count == 1:
        return 0
    others = [sheet for sheet in range(count) if sheet != front]
    for sheet in (front, *others[:MAX_SAMPLED_SHEETS]):
        if has_numbers(sheet):
            return sheet
    return front
