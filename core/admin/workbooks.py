"""Writes XLSX workbooks of text in constant memory, whole or in pieces.

xlsxwriter writes all of their XML. A workbook in pieces is one that several tasks write, each some
rows of it: a piece is the rows that the library wrote for a sheet of that task's own. The pieces
then stand between the beginning and the end of a sheet that holds the headings alone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import IO, Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_rowcol_to_cell

ROWS_OF_SHEET: Final = 1_048_576
"""The most rows that a spreadsheet opens, with the headings."""
LARGE: Final = 2**31 - 1
"""Bytes of a sheet above which a ZIP needs its larger format."""
SHEET: Final = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
START: Final = b"<sheetData>"
END: Final = b"</sheetData>"
DIMENSION: Final = re.compile(rb'<dimension ref="[^"]*"/>')


def write_workbook(file: IO[bytes], table: Iterable[Sequence[str]]) -> None:
    """Write a workbook with one sheet of these rows."""
    with _workbook(file) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate(table):
            _write_row(sheet, number, cells)


def rows_piece(first: int, rows: Iterable[Sequence[str]]) -> bytes:
    """The XML of these rows, of which the first one has this number, counted from 0."""
    file = io.BytesIO()
    with _workbook(file) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate(rows, first):
            _write_row(sheet, number, cells)
    with ZipFile(file) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml")
    start, end = xml.find(START), xml.rfind(END)
    return xml[start + len(START) : end] if 0 <= start < end else b""


@dataclass(frozen=True, slots=True)
class Pieces:
    """The rows of one sheet below its headings, in pieces of XML."""

    rows: int
    size: int
    """Bytes of all pieces."""
    xml: Iterable[bytes]


def joined_workbook(headings: Sequence[str], sheets: Sequence[Pieces]) -> Iterator[bytes]:
    """A workbook of these pieces as a stream, with the headings on each sheet."""
    frame = io.BytesIO()
    with _workbook(frame) as book:
        for _ in sheets:
            _write_row(book.add_worksheet(), 0, headings)
    out = _Stream()
    with ZipFile(frame) as source, ZipFile(out, "w", ZIP_DEFLATED, compresslevel=1) as target:
        for name in source.namelist():
            entry = ZipInfo(name)
            entry.compress_type = ZIP_DEFLATED
            found = SHEET.fullmatch(name)
            if found is None:
                target.writestr(entry, source.read(name))
                continue
            pieces = sheets[int(found[1]) - 1]
            start, end = _around(source.read(name), len(headings), pieces.rows)
            with target.open(entry, "w", force_zip64=pieces.size > LARGE) as sheet:
                sheet.write(start)
                for piece in pieces.xml:
                    sheet.write(piece)
                    yield out.taken()
                sheet.write(end)
    yield out.taken()


def _around(xml: bytes, columns: int, rows: int) -> tuple[bytes, bytes]:
    """What stands before and after the further rows of a sheet that holds its headings."""
    last = xl_rowcol_to_cell(rows, max(columns - 1, 0))
    place = xml.rindex(END)
    start = DIMENSION.sub(f'<dimension ref="A1:{last}"/>'.encode(), xml[:place], count=1)
    return start, xml[place:]


@contextmanager
def _workbook(file: IO[bytes]) -> Iterator[Any]:
    """A workbook that is written into `file` at the end of the block."""
    with TemporaryDirectory() as folder:
        book: Any = Workbook(file, {"constant_memory": True, "tmpdir": folder})
        try:
            yield book
            book.close()
        finally:
            # After an error, the library leaves its temporary files open.
            for sheet in book.worksheets():
                sheet.row_data_fh.close()


def _write_row(sheet: Any, number: int, cells: Sequence[str]) -> None:
    for column, text in enumerate(cells):
        # Text only: neither a formula nor a number that loses digits, nor a link.
        sheet.write_string(number, column, text)


class _Stream(io.RawIOBase):
    """Holds what was written until it is taken."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._written.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        found = b"".join(self._written)
        self._written.clear()
        return found
