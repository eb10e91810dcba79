"""Lists as CSV and XLSX, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import cast

import pytest
from django.http import FileResponse, StreamingHttpResponse
from openpyxl import load_workbook

from core.admin.exports import Column, Format, export, safe_cell

# Closing an answer lets go of the database.
pytestmark = pytest.mark.django_db

COLUMNS = [Column("Number", lambda row: row[0]), Column("Text", lambda row: row[1])]
FORMULAS = [
    "=HYPERLINK(1)",
    "+1+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "＝1",
    "\x00=1",
]


def downloaded(rows: Iterable[object], format_: Format) -> bytes:
    answer = export("list", COLUMNS, rows, format_)
    content = b"".join(cast("Iterable[bytes]", answer))
    answer.close()
    return content


def lines_of_csv(rows: Iterable[object]) -> list[list[str]]:
    text = downloaded(rows, Format.CSV).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    assert safe_cell(text).startswith("'")


@pytest.mark.parametrize("text", ["+8613912345678", "+86 139 1234 5678", "-0.50", "Hello", "8=8"])
def test_numbers_and_plain_text_stay_readable(text: str) -> None:
    assert safe_cell(text) == text


def test_times_are_full_with_their_zone() -> None:
    assert safe_cell(datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)) == "2026-03-01 12:05:06 UTC+08:00"


def test_what_no_file_may_hold_is_made_visible() -> None:
    assert safe_cell("a\x07b") == "a␀b"
    assert safe_cell("\ud800") == "\\ud800"
    assert safe_cell(None) == ""


def test_a_csv_file_opens_in_a_spreadsheet_with_every_text_whole() -> None:
    rows = [("+86139", '说 "你好",\nline two')]
    assert downloaded(rows, Format.CSV).startswith(b"\xef\xbb\xbf")
    assert lines_of_csv(rows) == [["Number", "Text"], ["+86139", '说 "你好",\nline two']]


def test_a_csv_file_is_written_while_rows_are_read() -> None:
    asked: list[int] = []

    def rows() -> Iterator[tuple[str, str]]:
        for number in range(3):
            asked.append(number)
            yield "1", "x"

    answer = export("list", COLUMNS, rows(), Format.CSV)
    assert asked == []
    assert len(list(cast("StreamingHttpResponse", answer))) == 5
    assert asked == [0, 1, 2]


def test_an_xlsx_file_holds_text_only() -> None:
    content = downloaded([("+8613912345678", "=1+1"), ("0012", "")], Format.XLSX)
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    found = [[(one.value, one.data_type) for one in line] for line in sheet.iter_rows()]
    assert found[1] == [("+8613912345678", "s"), ("'=1+1", "s")]
    assert found[2][0] == ("0012", "s")


def test_the_file_is_named_after_the_list_and_its_time() -> None:
    answer = export("messages", COLUMNS, [], Format.XLSX)
    assert isinstance(answer, FileResponse)
    assert 'filename="messages-' in answer["Content-Disposition"]
    assert answer["Content-Disposition"].endswith('.xlsx"')
    answer.close()
