"""The first sheet of an XLSX, from whatever program, and what is no sheet at all."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta

import pytest
from openpyxl import Workbook as Written

from messaging.batches.importing.file_errors import Unreadable
from messaging.batches.importing.xlsx import Workbook
from messaging.batches.importing.xlsx_values import DateKind, cell_text

SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def rows_of(content: bytes) -> list[tuple[int, list[str]]]:
    book = Workbook(io.BytesIO(content), "recipients.xlsx")
    return list(book.rows())


def written(*rows: tuple[object, ...]) -> bytes:
    book = Written()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr, arg-type]
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def packed(sheet: str, *, texts: str = "", styles: str = "", **parts: str | bytes) -> bytes:
    """A workbook part by part; `sheet` is what stands between the tags of its rows."""
    links = "".join(
        f'<Relationship Id="{key}" Type="{LINKS}/{kind}" Target="{target}"/>'
        for key, kind, target in (
            ("s", "worksheet", "worksheets/sheet1.xml"),
            ("t", "sharedStrings", "odd/name.xml"),
            ("y", "styles", "styles.xml"),
        )
    )
    contents: dict[str, str | bytes] = {
        "xl/workbook.xml": f'<workbook xmlns="{SHEETS}" xmlns:r="{LINKS}"><sheets>'
        '<sheet name="a" sheetId="1" r:id="s"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="r">{links}</Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEETS}"><dimension ref="A1"/>'
        f"<sheetData>{sheet}</sheetData></worksheet>",
        "xl/odd/name.xml": f'<sst xmlns="{SHEETS}">{texts}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{SHEETS}">{styles}</styleSheet>',
        **{name.replace("__", "/") + ".xml": part for name, part in parts.items()},
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, part in contents.items():
            file.writestr(name, part)
    return content.getvalue()


def cell(value: str, kind: str = "str", place: str = "") -> str:
    where = f' r="{place}"' if place else ""
    return f'<c t="{kind}"{where}><v>{value}</v></c>'


# --- what cells say ---------------------------------------------------------------


def test_what_is_in_a_cell_reads_as_it_would_be_written() -> None:
    row = (
        "text ",
        13912345678,
        1.3912345678e10,
        0.1 + 0.2,
        date(2026, 3, 1),
        datetime(2026, 3, 1, 10, 30),  # noqa: DTZ001 - a spreadsheet knows no zones
        time(9, 5),
        timedelta(hours=30, minutes=15),
        True,
        None,
        "=1/0",
        "#N/A",
    )
    ((number, cells),) = rows_of(written(row))
    assert number == 1
    assert cells == [
        "text",
        "13912345678",
        "13912345678",
        "0.3",
        "2026-03-01",
        "2026-03-01 10:30",
        "09:05",
        "30:15",
        "TRUE",
        "",
        "",
        "",
    ]


def test_dates_of_chinese_spreadsheets_are_dates() -> None:
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="31"/></cellXfs>'
    content = packed('<row><c s="1"><v>46082</v></c><c><v>46082</v></c></row>', styles=styles)
    assert rows_of(content) == [(1, ["2026-03-01", "46082"])]


@pytest.mark.parametrize(
    ("value", "date_kind", "said"),
    [
        ("59", DateKind.MOMENT, "1900-02-28"),
        ("61", DateKind.MOMENT, "1900-03-01"),
        ("0", DateKind.MOMENT_FROM_1904, "1904-01-01"),
        ("0.9999999", DateKind.MOMENT, "24:00"),
        ("46082.9999999", DateKind.MOMENT, "2026-03-02"),
        ("-1", DateKind.MOMENT, "-1"),
        ("1e300", DateKind.MOMENT, "1e+300"),
        ("12345678901234567890", DateKind.NONE, "12345678901234567890"),
        ("1.5e17", DateKind.NONE, "1.5e+17"),
    ],
)
def test_numbers_at_the_edge_are_dates_or_stay_numbers(
    value: str, date_kind: DateKind, said: str
) -> None:
    assert cell_text(value, "n", date_kind) == said


def test_how_a_text_is_pronounced_is_no_part_of_it() -> None:
    texts = "<si><r><t>张</t></r><r><t>三_x000D_</t></r><rPh><t>zhang san</t></rPh></si>"
    content = packed(f"<row>{cell('0', 's')}</row>", texts=texts)
    assert rows_of(content) == [(1, ["张三"])]


# --- what programs write ------------------------------------------------------------


def test_a_sheet_is_read_to_its_end_whatever_size_it_says() -> None:
    rows = "".join(f"<row>{cell('a')}{cell(str(index))}</row>" for index in range(3))
    assert [number for number, _ in rows_of(packed(rows))] == [1, 2, 3]


def test_cells_that_are_left_out_leave_their_place_empty() -> None:
    content = packed(f'<row r="3">{cell("x", place="C3")}{cell("y")}</row>')
    assert rows_of(content) == [(3, ["", "", "x", "y"])]


def test_two_rows_with_one_number_get_two() -> None:
    content = packed(f'<row r="2">{cell("x")}</row><row r="2">{cell("y")}</row>')
    assert rows_of(content) == [(2, ["x"]), (3, ["y"])]


def test_a_hidden_sheet_is_passed_by() -> None:
    book = Written()
    hidden = book.active
    hidden.append(("hidden",))  # type: ignore[union-attr]
    book.create_sheet().append(("seen",))
    hidden.sheet_state = "hidden"  # type: ignore[union-attr]
    content = io.BytesIO()
    book.save(content)
    assert rows_of(content.getvalue()) == [(1, ["seen"])]


# --- what is made to do harm --------------------------------------------------------


def test_a_table_of_texts_too_large_for_memory_is_refused_whatever_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("messaging.batches.importing.xlsx_parts.MAX_TEXTS", 1_000_000)
    with pytest.raises(Unreadable, match="file_unreadable"):
        rows_of(packed("", texts="<si><t>ab</t></si>" * 20_000))


def test_elements_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.batches.importing.xlsx_parts.MAX_ELEMENTS", 1_000)
    with pytest.raises(Unreadable, match="file_unreadable"):
        rows_of(packed("<row>" + "<c/>" * 1_001 + "</row>"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_in_whatever_encoding(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY b "c">]>'
    part = (text + f'<sst xmlns="{SHEETS}"><si><t>&b;</t></si></sst>').encode(encoding)
    with pytest.raises(Unreadable, match="file_unreadable"):
        rows_of(packed("", xl__odd__name=part))


@pytest.mark.parametrize(
    "sheet",
    [
        f"<row>{cell('7', 's')}</row>",
        f"<row>{cell('x', 'n')}</row>",
        f"<row>{cell('x', place='17')}</row>",
        '<row r="x"/>',
        '<row r="9999999"/>',
        "<row>",
    ],
)
def test_a_sheet_that_contradicts_itself_is_refused(sheet: str) -> None:
    with pytest.raises(Unreadable, match="file_unreadable"):
        rows_of(packed(sheet))


def test_a_part_that_is_damaged_is_refused() -> None:
    content = bytearray(written(*[(f"name {index}", index) for index in range(2_000)]))
    at = content.index(b"xl/worksheets/sheet1.xml") + 2_000
    content[at : at + 50] = bytes(50)
    with pytest.raises(Unreadable, match="file_unreadable"):
        rows_of(bytes(content))


def test_another_kind_of_zip_is_another_kind_of_file() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("word/document.xml", "<document/>")
    with pytest.raises(Unreadable, match="file_wrong_kind"):
        rows_of(content.getvalue())
