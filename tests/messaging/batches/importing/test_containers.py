"""Files in other containers than CSV and XLSX: read, or refused with the true reason."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.batches.importing.file_errors import Unreadable
from messaging.batches.importing.xlsx_values import Cells
from messaging.models import Batch, StagedRow
from providers.error_texts import explain
from tests.factories.batches import make_batch

from .opened_tables import rows_of as numbered_rows_of
from .test_xlsx import saved_workbook

ROWS = [["Phone", "Name"], ["13912345678", "Müller & Co"], ["13800138000", "李"]]


def rows_of(content: bytes) -> list[Cells]:
    return [cells for _, cells in numbered_rows_of(content)]


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return content.getvalue()


def compound(*streams: str) -> bytes:
    names = b"".join(f"{name}\0".encode("utf-16-le").ljust(128, b"\0") for name in streams)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + names


def web_page(head: str = "", *, encoding: str = "utf-8") -> bytes:
    body = "".join(
        "<tr>" + "".join(f"<td>{cell.replace('&', '&amp;')}</td>" for cell in row) + "</tr>"
        for row in ROWS
    )
    return f"<html><head>{head}</head><body><table>{body}</table></body></html>".encode(encoding)


def test_entries_with_backslashes_and_other_case_are_found() -> None:
    source = zipfile.ZipFile(io.BytesIO(saved_workbook(*map(tuple, ROWS))))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for one in source.namelist():
            name = one.replace("/", "\\").replace("sharedStrings", "SharedStrings")
            file.writestr(name, source.read(one))
    assert rows_of(content.getvalue()) == ROWS


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("", "utf-16"),
        ('<meta charset="utf-8">', "utf-8"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=gb2312">', "gb18030"),
    ],
)
def test_a_web_page_with_a_table_is_read(head: str, encoding: str) -> None:
    assert rows_of(web_page(head, encoding=encoding)) == ROWS


def test_a_web_page_in_an_older_encoding_is_guessed() -> None:
    page = "<table><tr><th>Name<th>Phone<tr><td>Müller<td>13912345678</table>".encode("cp1252")
    assert rows_of(page) == [["Name", "Phone"], ["Müller", "13912345678"]]


def test_cells_of_a_web_page_are_one_line_each() -> None:
    page = (
        "<!DOCTYPE html><style>td {}</style><table><caption>List</caption>"
        "<tr><td colspan=2><b>Phone</b></td><td>a<br>b<script>x</script>"
        "<table><tr><td>in</td></tr></table></td></tr></table>"
    )
    assert rows_of(page.encode()) == [["Phone", "", "a bin"]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html><body>Sign in</body></html>", "file_web_page"),
        (b'<?xml version="1.0"?><Workbook/>', "file_xml"),
        (compound("Workbook"), "file_old_excel"),
        (compound("Book"), "file_old_excel"),
        (b"\x09\x08\x08\x00\x00\x05\x10\x00" + b"\0" * 40, "file_old_excel"),
        (compound("EncryptionInfo", "EncryptedPackage"), "file_protected"),
        (zipped("Index/Document.iwa", "Metadata/Properties.plist"), "file_numbers"),
        (zipped("mimetype", "content.xml", "styles.xml"), "file_open_document"),
        (zipped("[Content_Types].xml", "xl/workbook.bin"), "file_binary_excel"),
        (zipped("word/document.xml"), "file_wrong_kind"),
    ],
)
@pytest.mark.django_db
def test_what_cannot_be_read_says_what_it_is_and_what_to_do(content: bytes, reason: str) -> None:
    batch = make_batch(content, file_name="list.xls")
    assert (batch.state, batch.reason, StagedRow.objects.count()) == ("unreadable", reason, 0)
    words = explain(batch.reason, **batch.values)
    assert words.title
    assert "%(" not in words.title
    if reason != "file_wrong_kind":
        assert words.next_step


@given(st.binary(max_size=300).map(lambda middle: b"<table><tr><td>" + middle))
@settings(deadline=None)
def test_any_web_page_is_read_or_refused(content: bytes) -> None:
    try:
        rows_of(content)
    except Unreadable:
        return


@pytest.mark.django_db
def test_a_web_page_is_sent_like_a_sheet() -> None:
    batch = make_batch(web_page(), file_name="list.xls", text="Hi {Name}")
    assert batch.good == 2
    assert Batch.objects.get().columns == ["Phone", "Name"]
