"""Exports as CSV and XLSX that are safe to open in a spreadsheet."""

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

from core.admin.exports import Column, Format, export, export_buttons, requested_format, safe_cell

# Closing a response closes the database connection.
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


def download(rows: Iterable[object], format_: Format) -> bytes:
    response = export("list", COLUMNS, rows, format_)
    content = b"".join(cast("Iterable[bytes]", response))
    response.close()
    return content


def csv_lines(rows: Iterable[object]) -> list[list[str]]:
    text = download(rows, Format.CSV).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_get_an_apostrophe(text: str) -> None:
    assert safe_cell(text).startswith("'")


@pytest.mark.parametrize(
    "text", ["+8613912345678", "+86 139 1234 5678", "-0.50", "Hello", "8=8", "X=1"]
)
def test_numbers_and_plain_text_are_unchanged(text: str) -> None:
    assert safe_cell(text) == text


def test_formula_is_kept_after_the_apostrophe() -> None:
    assert safe_cell("=1+1") == "'=1+1"


def test_number_followed_by_a_formula_gets_an_apostrophe() -> None:
    assert safe_cell("+86 139=1") == "'+86 139=1"
    assert safe_cell("x+1") == "x+1"


def test_long_text_is_truncated_to_the_cell_limit() -> None:
    assert safe_cell("x" * 32_000) == "x" * 32_000
    assert safe_cell("x" * 32_001) == "x" * 32_000


def test_format_defaults_to_csv() -> None:
    factory = RequestFactory()
    assert requested_format(factory.get("/")) is Format.CSV
    assert requested_format(factory.get("/", {"format": "xlsx"})) is Format.XLSX
    with pytest.raises(Http404):
        requested_format(factory.get("/", {"format": "pdf"}))


def test_export_buttons_keep_the_query_of_the_list() -> None:
    request = RequestFactory().get("/", {"q": "a&b", "format": "old"})
    assert [(str(one.label), one.url) for one in export_buttons(request, "/export/")] == [
        ("Export CSV", "/export/?q=a%26b&format=csv"),
        ("Export XLSX", "/export/?q=a%26b&format=xlsx"),
    ]


def test_times_are_full_with_their_zone() -> None:
    assert safe_cell(datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)) == "2026-03-01 12:05:06 UTC+08:00"


def test_forbidden_characters_become_visible() -> None:
    assert safe_cell("a\x07b") == "a␀b"
    assert safe_cell("\ud800") == "\\ud800"
    assert safe_cell(None) == ""


def test_csv_keeps_quotes_and_line_breaks() -> None:
    rows = [("+86139", '说 "你好",\nline two')]
    assert download(rows, Format.CSV).startswith(b"\xef\xbb\xbf")
    assert csv_lines(rows) == [["Number", "Text"], ["+86139", '说 "你好",\nline two']]


def test_csv_is_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.admin.exports.PIECE", 1)
    read: list[int] = []

    def rows() -> Iterator[tuple[str, str]]:
        for number in range(3):
            read.append(number)
            yield "1", "x"

    response = export("list", COLUMNS, rows(), Format.CSV)
    assert read == []
    assert len(list(cast("StreamingHttpResponse", response))) == 6
    assert read == [0, 1, 2]


def test_csv_line_contains_nothing_of_the_previous_line() -> None:
    rows = [("1", "a long text"), ("2", "b"), ("", "c")]
    assert csv_lines(rows)[1:] == [["1", "a long text"], ["2", "b"], ["", "c"]]
    assert download(rows, Format.CSV).endswith(b'"2","b"\r\n"","c"\r\n')


@pytest.mark.parametrize(
    ("format_", "content_type"),
    [
        (Format.CSV, "text/csv; charset=utf-8"),
        (Format.XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_export_is_a_download_that_is_not_cached(format_: Format, content_type: str) -> None:
    response = export("messages", COLUMNS, [], format_)
    assert response["Content-Type"] == content_type
    assert response["Cache-Control"] == "no-store"
    name = re.escape(f".{format_}")
    assert re.fullmatch(
        rf'attachment; filename="messages-\d{{8}}-\d{{6}}{name}"', response["Content-Disposition"]
    )
    response.close()


def test_xlsx_contains_text_only() -> None:
    content = download([("+8613912345678", "=1+1"), ("0012", "")], Format.XLSX)
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    found = [[(one.value, one.data_type) for one in line] for line in sheet.iter_rows()]
    assert found[1] == [("+8613912345678", "s"), ("'=1+1", "s")]
    assert found[2][0] == ("0012", "s")


def test_file_name_has_the_list_and_the_time() -> None:
    response = export("messages", COLUMNS, [], Format.XLSX)
    assert isinstance(response, FileResponse)
    assert 'filename="messages-' in response["Content-Disposition"]
    assert response["Content-Disposition"].endswith('.xlsx"')
    response.close()
