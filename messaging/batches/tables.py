"""Files as tables: whatever encoding, separator and line ends a CSV has, and XLSX.

Each yields rows of text with their number as a spreadsheet counts it. Nothing is held in
memory but the row at hand (of an XLSX also its table of texts, which is why that has a cap).
"""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook

from .unreadable import FileProblem, Unreadable

Cells = list[str]
NumberedRow = tuple[int, Cells]

SEPARATORS: Final = ",;\t"
LOOKED_AT: Final = 64 * 1024
"""Characters in which the separator is looked for."""
LONGEST_CELL: Final = 10_000
MOST_COLUMNS: Final = 200
MOST_EMPTY: Final = 10_000
"""Empty rows in a row, after which a sheet is over: formatted ones may go on for ever."""
MOST_ROWS: Final = 1_048_576
"""Of any sheet."""
MOST_UNPACKED: Final = 400 * 1024 * 1024
MOST_TEXTS: Final = 100 * 1024 * 1024
"""Bytes of an XLSX's own table of texts, unpacked."""
MOST_ENTRIES: Final = 2_000

PICTURES: Final = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"%PDF",
    b"RIFF",
    b"BM",
    b"\x1f\x8b",
    b"Rar!",
)
OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
"""Also how a protected XLSX begins."""
ZIP: Final = b"PK\x03\x04"


@dataclass(frozen=True)
class Table:
    rows: Iterator[NumberedRow]
    total: int
    """What `rows` come to in the unit of `done`; 0 where nobody knows."""
    done: Callable[[], int]
    close: Callable[[], None] = lambda: None


OpenFile = Callable[[], Any]
"""Opens the file anew from its beginning; `.done` says how many bytes were read."""


def open_table(open_file: OpenFile, name: str, size: int) -> Table:
    """Raises `Unreadable`, here or while its rows are read."""
    beginning = bytes(open_file().read(8) or b"")
    if not beginning:
        raise Unreadable(FileProblem.EMPTY)
    if beginning.startswith(ZIP):
        return _xlsx(open_file, name)
    if beginning.startswith(OLD_EXCEL):
        raise Unreadable(FileProblem.UNREADABLE)
    if beginning.startswith(PICTURES):
        raise Unreadable(FileProblem.WRONG_KIND, name=name)
    return _csv(open_file, size)


# --- CSV ---------------------------------------------------------------------


def _csv(open_file: OpenFile, size: int) -> Table:
    encoding = _encoding_of(open_file)
    file = open_file()
    sample = io.TextIOWrapper(io.BufferedReader(open_file()), encoding, newline="").read(LOOKED_AT)
    separator, skipped = _separator_of(sample)
    text = io.TextIOWrapper(io.BufferedReader(file), encoding, newline="")
    return Table(_csv_rows(text, separator, skipped), size, lambda: int(file.done))


def _encoding_of(open_file: OpenFile) -> str:
    """The first that fits every byte. GB18030 contains GBK and GB2312."""
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
        # Digits and separators of UTF-16 have a zero beside them.
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
        while chunk := file.read(LOOKED_AT):
            if "\0" in decoder.decode(chunk):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _separator_of(sample: str) -> tuple[str, int]:
    """The separator that cuts the first rows most evenly, and how many lines only name it."""
    first = sample.splitlines()[0].strip() if sample.strip() else ""
    if first.lower().startswith("sep=") and len(first) == 5:
        return first[4], 1
    best, best_score = ",", (0.0, 0)
    for separator in SEPARATORS:
        try:
            rows = list(csv.reader(io.StringIO(sample, newline=""), delimiter=separator))
        except csv.Error:
            continue
        # The last row of the sample may be cut off.
        widths = Counter(len(row) for row in (rows[:-1] or rows) if row)
        if not widths:
            continue
        width, times = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
        score = (times / widths.total(), width)
        if width > 1 and score > best_score:
            best, best_score = separator, score
    return best, 0


def _csv_rows(text: io.TextIOWrapper, separator: str, skipped: int) -> Iterator[NumberedRow]:
    number = 0
    try:
        for number, row in enumerate(csv.reader(text, delimiter=separator), start=1):
            if number > skipped and any(cell.strip() for cell in row):
                yield number, [cell[:LONGEST_CELL] for cell in row[:MOST_COLUMNS]]
    except (csv.Error, UnicodeDecodeError):
        # A cell of more than 128 KiB, most likely: no row of recipients.
        raise Unreadable(FileProblem.UNREADABLE) from None


# --- XLSX --------------------------------------------------------------------


def _xlsx(open_file: OpenFile, name: str) -> Table:
    file = TemporaryFile()  # noqa: SIM115 - closed with the table
    source = open_file()
    while chunk := source.read(LOOKED_AT):
        file.write(chunk)
    try:
        _refuse_what_is_no_workbook(file, name)
        book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
    except Unreadable:
        file.close()
        raise
    except Exception:  # noqa: BLE001 - a damaged file fails in any way
        file.close()
        raise Unreadable(FileProblem.UNREADABLE) from None
    progress = [0]
    total = min(sheet.max_row or 0, MOST_ROWS)

    def close() -> None:
        book.close()
        file.close()

    return Table(_xlsx_rows(sheet, progress), total, lambda: progress[0], close)


def _refuse_what_is_no_workbook(file: Any, name: str) -> None:
    """Also what would unpack to more than this process may hold."""
    try:
        with zipfile.ZipFile(file) as packed:
            entries = packed.infolist()
            names = {entry.filename for entry in entries}
            # Python's own reader stops at the size that stands here.
            unpacked = sum(entry.file_size for entry in entries)
            texts = sum(e.file_size for e in entries if e.filename.endswith("sharedStrings.xml"))
            if "xl/workbook.xml" not in names:
                raise Unreadable(FileProblem.WRONG_KIND, name=name)
            if len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED or texts > MOST_TEXTS:
                raise Unreadable(FileProblem.UNREADABLE)
            for entry in entries:
                if entry.filename.endswith((".xml", ".rels")):
                    with packed.open(entry) as part:
                        if b"<!DOCTYPE" in part.read(1024):
                            # Nothing that makes workbooks writes one; entities could.
                            raise Unreadable(FileProblem.UNREADABLE)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        raise Unreadable(FileProblem.UNREADABLE) from None
    file.seek(0)


def _xlsx_rows(sheet: Any, progress: list[int]) -> Iterator[NumberedRow]:
    empty = 0
    rows = sheet.iter_rows(values_only=True)
    try:
        for number, row in enumerate(rows, start=1):
            progress[0] = number
            cells = [_text_of(value) for value in row[:MOST_COLUMNS]]
            if any(cells):
                empty = 0
                yield number, cells
            elif (empty := empty + 1) > MOST_EMPTY:
                return
    except (ParseError, zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError, OSError):
        raise Unreadable(FileProblem.UNREADABLE) from None


def _text_of(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        # A number in a workbook is stored whole; only its display is shortened.
        return str(int(value))
    return str(value).strip()[:LONGEST_CELL]
