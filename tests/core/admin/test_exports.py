"""Lists as CSV and XLSX, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import cast

import pytest
from django.http import FileResponse, Http404, StreamingHttpResponse
from django.test import RequestFactory
from openpyxl import load_workbook

from core.admin.exports import Column, Format, cell, export, export_buttons, format_of

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
    "＋1+1",
    "－1+1",
    "＠SUM(1)",
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
    assert cell(text).startswith("'")


@pytest.mark.parametrize(
    "text", ["+8613912345678", "+86 139 1234 5678", "-0.50", "Hello", "8=8", "X=1"]
)
def test_numbers_and_plain_text_stay_readable(text: str) -> None:
    assert cell(text) == text


def test_formula_loses_nothing_but_its_power() -> None:
    assert cell("=1+1") == "'=1+1"


def test_number_with_a_formula_behind_it_is_no_number() -> None:
    assert cell("+86 139=1") == "'+86 139=1"
    assert cell("x+1") == "x+1"


def test_long_text_is_cut_to_what_a_cell_takes() -> None:
    assert cell("x" * 32_000) == "x" * 32_000
    assert cell("x" * 32_001) == "x" * 32_000


def test_format_is_csv_unless_the_address_says_otherwise() -> None:
    asked = RequestFactory()
    assert format_of(asked.get("/")) is Format.CSV
    assert format_of(asked.get("/", {"format": "xlsx"})) is Format.XLSX
    with pytest.raises(Http404):
        format_of(asked.get("/", {"format": "pdf"}))


def test_buttons_export_what_the_list_shows() -> None:
    request = RequestFactory().get("/", {"q": "a&b", "format": "old"})
    assert [(str(one.label), one.url) for one in export_buttons(request, "/export/")] == [
        ("Export CSV", "/export/?q=a%26b&format=csv"),
        ("Export XLSX", "/export/?q=a%26b&format=xlsx"),
    ]


def test_times_are_full_with_their_zone() -> None:
    assert cell(datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)) == "2026-03-01 12:05:06 UTC+08:00"


def test_what_no_file_may_hold_is_made_visible() -> None:
    assert cell("a\x07b") == "a␀b"
    assert cell("\ud800") == "\\ud800"
    assert cell(None) == ""


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


def test_short_line_after_a_long_one_holds_nothing_of_it() -> None:
    rows = [("1", "a long text"), ("2", "b"), ("", "c")]
    assert lines_of_csv(rows)[1:] == [["1", "a long text"], ["2", "b"], ["", "c"]]
    assert downloaded(rows, Format.CSV).endswith(b'"2","b"\r\n"","c"\r\n')


@pytest.mark.parametrize(
    ("format_", "content_type"),
    [
        (Format.CSV, "text/csv; charset=utf-8"),
        (Format.XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_file_is_downloaded_and_kept_in_no_cache(format_: Format, content_type: str) -> None:
    answer = export("messages", COLUMNS, [], format_)
    assert answer["Content-Type"] == content_type
    assert answer["Cache-Control"] == "no-store"
    name = re.escape(f".{format_}")
    assert re.fullmatch(
        rf'attachment; filename="messages-\d{{8}}-\d{{6}}{name}"', answer["Content-Disposition"]
    )
    answer.close()


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
