"""Open CSV files of any encoding, separator and line ending, and XLSX files, as tables.

A table yields rows of text with their spreadsheet row numbers. Only the current row is in
memory, and for an XLSX also its shared strings.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any, Final

from .file_errors import FileProblem, Unreadable
from .xlsx import Workbook
from .xlsx_parts import MAX_COLUMNS
from .xlsx_values import LONGEST_CELL, NumberedRow

SEPARATORS: Final = ",;\t"
SAMPLE_SIZE: Final = 64 * 1024
"""Characters that are searched for the separator, and bytes of one read."""
OTHER_FORMATS: Final = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF-", b"\x1f\x8b", b"Rar!\x1a")
AMBIGUOUS_FORMATS: Final = (b"RIFF", b"BM")
"""Other formats too, but only if zero bytes follow: a heading may begin with these letters."""
OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
"""A password-protected XLSX begins like this, too."""
ZIP: Final = b"PK\x03\x04"


@dataclass(frozen=True)
class Table:
    rows: Iterator[NumberedRow]
    total: int
    """Total size in the unit of `bytes_read`; 0 if it is unknown."""
    bytes_read: Callable[[], int]
    close: Callable[[], None] = lambda: None


OpenFile = Callable[[], Any]
"""Reopens the file at its beginning. The stream's `bytes_read` is its progress."""


def open_table(open_file: OpenFile, name: str, size: int) -> Table:
    """Open a file by its content, not by its name. Raises `Unreadable`, now or from `rows`."""
    beginning = bytes(open_file().read(64) or b"")
    if not beginning:
        raise Unreadable(FileProblem.EMPTY)
    if beginning.startswith(ZIP):
        return _xlsx(open_file, name)
    if beginning.startswith(OLD_EXCEL):
        raise Unreadable(FileProblem.UNREADABLE)
    if beginning.startswith(OTHER_FORMATS) or (
        beginning.startswith(AMBIGUOUS_FORMATS) and 0 in beginning
    ):
        raise Unreadable(FileProblem.WRONG_KIND, name=name)
    return _csv(open_file, size)


# --- CSV ---------------------------------------------------------------------


def _csv(open_file: OpenFile, size: int) -> Table:
    encoding = _encoding_of(open_file)
    file = open_file()
    sample = io.TextIOWrapper(io.BufferedReader(open_file()), encoding, newline="").read(
        SAMPLE_SIZE
    )
    separator, skipped = _separator_of(sample)
    text = io.TextIOWrapper(io.BufferedReader(file), encoding, newline="")
    return Table(_csv_rows(text, separator, skipped), size, lambda: int(file.bytes_read))


def _encoding_of(open_file: OpenFile) -> str:
    """The first encoding that decodes every byte. GB18030 contains GBK and GB2312."""
    beginning = bytes(open_file().read(512) or b"")
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if beginning.startswith(mark):
            candidates = [encoding]
            break
    else:
        candidates = ["utf-8", "gb18030"]
        # In UTF-16, digits and separators are accompanied by a zero byte.
        if beginning[1::2].count(0) > len(beginning) // 4:
            candidates = ["utf-16-le"]
        elif beginning[::2].count(0) > len(beginning) // 4:
            candidates = ["utf-16-be"]
    for encoding in candidates:
        if _fits(open_file(), encoding):
            return encoding
    raise Unreadable(FileProblem.UNREADABLE)


def _fits(file: Any, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(SAMPLE_SIZE):
            if "\0" in decoder.decode(chunk):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _separator_of(sample: str) -> tuple[str, int]:
    """The separator that splits the first rows most evenly, and how many rows only declare it."""
    first = sample.splitlines()[0].strip() if sample.strip() else ""
    if first.lower().startswith("sep=") and len(first) == 5:
        return first[4], 1
    best, best_score = ",", (0.0, 0)
    for separator in SEPARATORS:
        try:
            table = io.StringIO(sample, newline="")
            rows = list(csv.reader(table, delimiter=separator, skipinitialspace=True))
        except csv.Error:
            continue
        # The sample may cut off its last row.
        widths = Counter(len(row) for row in (rows[:-1] or rows) if row)
        if not widths:
            continue
        width, times = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
        score = (times / widths.total(), width)
        if width > 1 and score > best_score:
            best, best_score = separator, score
    return best, 0


def _csv_rows(text: io.TextIOWrapper, separator: str, skipped: int) -> Iterator[NumberedRow]:
    # Without `strict`, a misplaced quotation mark would merge many rows into one cell, unnoticed.
    rows = csv.reader(text, delimiter=separator, strict=True, skipinitialspace=True)
    number = lines = 0
    try:
        for number, row in enumerate(rows, start=1):
            lines = rows.line_num
            if number > skipped and any(cell.strip() for cell in row):
                yield number, [cell[:LONGEST_CELL] for cell in row[:MAX_COLUMNS]]
    except csv.Error as error:
        if "limit" in str(error) and rows.line_num <= lines + 1:
            # A cell of more than 128 KiB on one line is no row of recipients.
            raise Unreadable(FileProblem.UNREADABLE) from None
        raise Unreadable(FileProblem.QUOTES, row=number + 1) from None
    except UnicodeDecodeError:
        raise Unreadable(FileProblem.UNREADABLE) from None


# --- XLSX --------------------------------------------------------------------


def _xlsx(open_file: OpenFile, name: str) -> Table:
    file = TemporaryFile()  # noqa: SIM115 - closed with the table
    try:
        source = open_file()
        while chunk := source.read(SAMPLE_SIZE):
            file.write(chunk)
        book = Workbook(file, name)
    except Unreadable:
        file.close()
        raise

    def close() -> None:
        book.close()
        file.close()

    return Table(book.rows(), book.size, lambda: book.bytes_read, close)
