"""Reading the first sheet of XLSX files of various programs, and refusing malformed ones."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta

import pytest
from openpyxl import Workbook as OpenpyxlWorkbook

from messaging.batches.importing.file_errors import Unreadable
from messaging.batches.importing.number_formats import compile_format
from messaging.batches.importing.xlsx import Workbook
from messaging.batches.importing.xlsx_values import SystemDate, cell_text

SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def rows_of(content: bytes) -> list[tuple[int, list[str]]]:
    book = Workbook(io.BytesIO(content), "recipients.xlsx")
    return list(book.rows())


def saved_workbook(*rows: tuple[object, ...]) -> bytes:
    book = OpenpyxlWorkbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr, arg-type]
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def raw_workbook(sheet: str, *, texts: str = "", styles: str = "", **parts: str | bytes) -> bytes:
    """Build a workbook from XML parts; `sheet` is the content of its sheetData element."""
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


# --- cell values ------------------------------------------------------------------


def test_cells_read_as_displayed() -> None:
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
    ((number, cells),) = rows_of(saved_workbook(row))
    assert number == 1
    assert cells == [
        "text",
        "13912345678",
        "13912345678",
        "0.3",
        "2026-03-01",
        "2026-03-01 10:30:00",
        "9:05:00",
        "30:15:00",
        "TRUE",
        "",
        "",
        "",
    ]


def test_chinese_date_formats_are_dates() -> None:
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="31"/></cellXfs>'
    content = raw_workbook('<row><c s="1"><v>46082</v></c><c><v>46082</v></c></row>', styles=styles)
    assert rows_of(content) == [(1, ["2026-03-01", "46082"])]


@pytest.mark.parametrize(
    ("value", "starts_1904", "expected"),
    [
        ("59", False, "1900-02-28"),
        ("61", False, "1900-03-01"),
        ("0", True, "1904-01-01"),
        ("46082.9999999", False, "2026-03-02"),
        ("46082.4375", False, "2026-03-01 10:30"),
        ("0.5", False, "12:00"),
        ("-1", False, "-1"),
        ("1e300", False, "1e+300"),
    ],
)
def test_a_date_of_the_system_is_shown_in_iso_order(
    value: str, starts_1904: bool, expected: str
) -> None:
    assert cell_text(value, "n", SystemDate(), starts_1904=starts_1904) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("13912345678", "13912345678"),
        ("1.3912345678E10", "13912345678"),
        ("13800138000.000002", "13800138000"),
        ("0.30000000000000004", "0.3"),
        ("0.00001", "0.00001"),
        ("123456789012345", "123456789012345"),
        # More than 15 digits: the rest was lost when the number was typed.
        ("202611280000123456", "2.02611280000123e+17"),
        ("12345678901234567890", "1.23456789012346e+19"),
        ("1.5e17", "1.5e+17"),
        ("nan", ""),
        ("inf", ""),
    ],
)
def test_a_number_without_a_format_keeps_its_digits(value: str, expected: str) -> None:
    assert cell_text(value, "n", None) == expected


def test_cells_are_shown_by_their_formats() -> None:
    book = OpenpyxlWorkbook()
    shown = {
        "0%": (0.15, "15%"),
        "#,##0.00": (1234.5, "1,234.50"),
        "000000": (42, "000042"),
        '"No. "0': (7, "No. 7"),
        "@": (42, "42"),
        "dd.mm.yyyy": (date(2026, 3, 1), "01.03.2026"),
        "00000000000": (13912345678, "13912345678"),
    }
    sheet = book.active
    for place, (code, (value, _)) in enumerate(shown.items(), start=1):
        sheet.cell(1, place, value).number_format = code  # type: ignore[union-attr, call-overload]
    content = io.BytesIO()
    book.save(content)
    assert rows_of(content.getvalue()) == [(1, [text for _, text in shown.values()])]


def test_a_long_number_is_shortened_whatever_its_format() -> None:
    assert cell_text("202611280000123456", "n", compile_format("0")) == "2.02611280000123e+17"


def test_phonetic_guides_are_ignored() -> None:
    texts = "<si><r><t>张</t></r><r><t>三_x000D_</t></r><rPh><t>zhang san</t></rPh></si>"
    content = raw_workbook(f"<row>{cell('0', 's')}</row>", texts=texts)
    assert rows_of(content) == [(1, ["张三"])]


# --- variants of the format ---------------------------------------------------------


def test_a_wrong_sheet_dimension_is_ignored() -> None:
    rows = "".join(f"<row>{cell('a')}{cell(str(index))}</row>" for index in range(3))
    assert [number for number, _ in rows_of(raw_workbook(rows))] == [1, 2, 3]


def test_omitted_cells_are_empty() -> None:
    content = raw_workbook(f'<row r="3">{cell("x", place="C3")}{cell("y")}</row>')
    assert rows_of(content) == [(3, ["", "", "x", "y"])]


def test_repeated_row_numbers_are_renumbered() -> None:
    content = raw_workbook(f'<row r="2">{cell("x")}</row><row r="2">{cell("y")}</row>')
    assert rows_of(content) == [(2, ["x"]), (3, ["y"])]


def test_hidden_sheets_are_skipped() -> None:
    book = OpenpyxlWorkbook()
    hidden = book.active
    hidden.append(("hidden",))  # type: ignore[union-attr]
    book.create_sheet().append(("seen",))
    hidden.sheet_state = "hidden"  # type: ignore[union-attr]
    content = io.BytesIO()
    book.save(content)
    assert rows_of(content.getvalue()) == [(1, ["seen"])]


# --- malicious and damaged files ----------------------------------------------------


def test_oversized_shared_strings_are_refused_under_any_part_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("messaging.batches.importing.xlsx_parts.MAX_TEXTS", 1_000_000)
    with pytest.raises(Unreadable, match="file_unreadable"):
        rows_of(raw_workbook("", texts="<si><t>ab</t></si>" * 20_000))


def test_too_many_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.batches.importing.sheet_facts.MAX_ELEMENTS", 1_000)
    with pytest.raises(Unreadable, match="file_unreadable"):
        rows_of(raw_workbook("<row>" + "<c/>" * 1_001 + "</row>"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_in_any_encoding(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY b "c">]>'
    part = (text + f'<sst xmlns="{SHEETS}"><si><t>&b;</t></si></sst>').encode(encoding)
    with pytest.raises(Unreadable, match="file_unreadable"):
        rows_of(raw_workbook("", xl__odd__name=part))


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
def test_a_malformed_sheet_is_refused(sheet: str) -> None:
    with pytest.raises(Unreadable, match="file_unreadable"):
        rows_of(raw_workbook(sheet))


def test_a_damaged_part_is_refused() -> None:
    content = bytearray(saved_workbook(*[(f"name {index}", index) for index in range(2_000)]))
    at = content.index(b"xl/worksheets/sheet1.xml") + 2_000
    content[at : at + 50] = bytes(50)
    with pytest.raises(Unreadable, match="file_unreadable"):
        rows_of(bytes(content))


def test_a_zip_that_is_not_a_workbook_is_the_wrong_kind() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("word/document.xml", "<document/>")
    with pytest.raises(Unreadable, match="file_wrong_kind"):
        rows_of(content.getvalue())
