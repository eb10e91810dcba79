"""Read CSV files of any encoding, separator and line ending."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Final

from .encodings import Encoding, OpenFile
from .file_errors import FileProblem, Unreadable
from .sheet_facts import MAX_COLUMNS
from .xlsx_values import LONGEST_CELL, NumberedRow

SEPARATORS: Final = ",;\t|，；"
SAMPLE_SIZE: Final = 64 * 1024
"""Characters that are searched for the separator."""
DECLARED: Final = re.compile(r'"?sep=([^"])"?[,;\t|，；]*', re.IGNORECASE)
"""The line by which Excel is told the separator."""
BOM: Final = "\ufeff"


def open_csv(open_file: OpenFile, encoding: Encoding) -> tuple[Iterator[NumberedRow], io.RawIOBase]:
    """The rows, and the file whose `bytes_read` is the progress."""
    file = open_file()
    sample = _text(open_file(), encoding.name).read(SAMPLE_SIZE).lstrip(BOM)
    separator, skipped = separator_of(sample)
    return _rows(_text(file, encoding.name), separator, skipped), file


def _text(file: io.RawIOBase, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(file), encoding, newline="")


def separator_of(sample: str) -> tuple[str, int]:
    """The separator that splits the first rows most evenly, and how many rows only declare it."""
    first = sample.lstrip("\r\n ").partition("\n")[0].rstrip("\r\n ")
    if declared := DECLARED.fullmatch(first):
        return declared[1], 1
    best, best_score = ",", (0.0, 0)
    for separator in SEPARATORS:
        if separator not in sample:
            continue
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


def _rows(text: io.TextIOWrapper, separator: str, skipped: int) -> Iterator[NumberedRow]:
    number = lines = 0
    try:
        # Some programs write the byte order mark twice.
        whole = chain([text.readline().lstrip(BOM)], text)
        # Without `strict`, a misplaced quotation mark would merge many rows into one, unnoticed.
        rows = csv.reader(whole, delimiter=separator, strict=True, skipinitialspace=True)
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
