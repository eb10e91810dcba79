"""Reading XML Spreadsheet 2003."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.batches.choices import Choices
from messaging.batches.importing.file_errors import Unreadable
from messaging.models import StagedRow
from tests.factories.batches import make_batch

from .opened_tables import rows_of, table_of

SPACE = "urn:schemas-microsoft-com:office:spreadsheet"
HEAD = '<?xml version="1.0"{}?>\n<?mso-application progid="Excel.Sheet"?>\n'
STYLES = """
<Style ss:ID="Default"><NumberFormat/></Style>
<Style ss:ID="percent"><NumberFormat ss:Format="0%"/></Style>
<Style ss:ID="six" ss:Parent="percent"><NumberFormat ss:Format="000000"/></Style>
<Style ss:ID="day"><NumberFormat ss:Format="d/m/yyyy"/></Style>
<Style ss:ID="named"><NumberFormat ss:Format="Standard"/></Style>
"""


def sheet(rows: str, name: str = "List", options: str = "", columns: str = "") -> str:
    return (
        f'<Worksheet ss:Name="{name}"><Table>{columns}{rows}</Table><WorksheetOptions'
        f' xmlns="urn:schemas-microsoft-com:office:excel">{options}</WorksheetOptions></Worksheet>'
    )


def row(*cells: str, more: str = "") -> str:
    return f"<Row {more}>{''.join(cells)}</Row>"


def cell(value: str, more: str = "", kind: str = "String") -> str:
    return f'<Cell {more}><Data ss:Type="{kind}">{value}</Data></Cell>'


def book(sheets: str, options: str = "", encoding: str = "", used: str = "") -> bytes:
    declared = f' encoding="{encoding}"' if encoding else ""
    return (
        HEAD.format(declared)
        + f'<Workbook xmlns="{SPACE}" xmlns:ss="{SPACE}">'
        + f'<ExcelWorkbook xmlns="urn:schemas-microsoft-com:office:excel">{options}</ExcelWorkbook>'
        + f"<Styles>{STYLES}</Styles>{sheets}</Workbook>"
    ).encode(used or encoding or "utf-8")


ROWS = row(cell("Phone"), cell("Name")) + row(cell("13912345678", kind="Number"), cell("李"))
READ = [(1, ["Phone", "Name"]), (2, ["13912345678", "李"])]


@pytest.mark.parametrize("encoding", ["", "UTF-8", "UTF-16", "GB2312", "gbk", "GB18030", "Big5"])
def test_the_sheet_is_read_in_any_encoding(encoding: str) -> None:
    assert rows_of(book(sheet(ROWS), encoding=encoding)) == READ


def test_a_prefix_of_the_namespace_makes_no_difference() -> None:
    xml = book(sheet(ROWS)).decode().replace("ss:Name", "Name").replace("ss:Type", "Type")
    assert rows_of(xml.encode()) == READ
    xml = xml.replace("<Workbook", "<s:Workbook").replace("</Workbook", "</s:Workbook")
    assert rows_of(xml.replace("xmlns:ss", "xmlns:s").replace("ss:", "s:").encode()) == READ


def test_cells_are_read_as_the_sheet_shows_them() -> None:
    cells = (
        cell("0.15", 'ss:StyleID="percent"', "Number"),
        cell("42", 'ss:StyleID="six"', "Number"),
        cell("1234.5", 'ss:StyleID="named"', "Number"),
        cell("1.3912345678E10", kind="Number"),
        cell("2026-03-01T00:00:00.000", 'ss:StyleID="day"', "DateTime"),
        cell("2026-03-01T10:30:00.000", kind="DateTime"),
        cell("1", kind="Boolean"),
        cell("#N/A", kind="Error"),
        cell("a <B>bold</B> word"),
        "<Cell><Comment><ss:Data>hidden</ss:Data></Comment><Data ss:Type='String'>x</Data></Cell>",
        cell("y", 'ss:Index="13"'),
    )
    assert rows_of(book(sheet(row(*cells)))) == [
        (1, ["15%", "000042", "1,234.50", "13912345678", "1/3/2026", "2026-03-01 10:30", "TRUE",
             "", "a bold word", "x", "", "", "y"])
    ]  # fmt: skip


def test_rows_have_the_numbers_of_the_sheet() -> None:
    rows = row(cell("a")) + row(more='ss:Index="5" ss:Span="2"') + row(cell("b"))
    assert rows_of(book(sheet(rows))) == [(1, ["a"]), (8, ["b"])]


def test_hidden_rows_and_columns_are_known() -> None:
    columns = '<Column/><Column ss:Hidden="1" ss:Span="1"/>'
    rows = ROWS + row(cell("13800138000"), more='ss:Hidden="1"')
    content = book(sheet(rows, columns=columns))
    table = table_of(content)
    assert len(list(table.rows)) == 3
    assert (table.facts().hidden_ranges, table.facts().hidden_columns) == ([[3, 3]], {1, 2})
    assert rows_of(content, Choices(leave_out_hidden=True)) == READ


def test_merged_cells_apply_to_their_rows() -> None:
    rows = (
        row(cell("13912345678"), cell("Li", 'ss:MergeDown="1" ss:MergeAcross="1"'), cell("x"))
        + row(cell("13800138000"), cell("y", 'ss:Index="4"'))
    )  # fmt: skip
    table = table_of(book(sheet(rows)))
    assert [cells for _, cells in table.rows] == [
        ["13912345678", "Li", "", "x"],
        ["13800138000", "Li", "", "y"],
    ]
    assert table.facts().merges.places == ["B1:C2"]


def test_the_sheet_in_front_is_read_and_hidden_ones_are_not() -> None:
    other = sheet(row(cell("13800138000")), "Second")
    hidden = sheet(row(cell("13700137000")), "Old", "<Visible>SheetHidden</Visible>")
    front = "<ActiveSheet>2</ActiveSheet>"
    table = table_of(book(hidden + sheet(ROWS) + other, front))
    assert (table.sheets, table.sheet) == (["List", "Second"], 1)
    assert list(table.rows) == [(1, ["13800138000"])]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'<?xml version="1.0"?><Workbook/>', "file_xml"),
        (book(""), "file_xml"),
        (book(sheet(ROWS))[:-40], "file_unreadable"),
        (book(sheet(row(cell("a"), more='ss:Index="1048577"'))), "file_unreadable"),
        (book(sheet(row(cell("a", 'ss:Index="x"')))), "file_unreadable"),
        (book(sheet(row(cell("soon", kind="DateTime")))), "file_unreadable"),
        (book(sheet("<a>" * 5_000)), "file_unreadable"),
        (book(sheet(ROWS)).replace(b"\n<?mso", b'\n<!DOCTYPE a [<!ENTITY b "c">]>\n<?mso'),
         "file_unreadable"),
        (book(sheet(ROWS), encoding="gbk", used="utf-16"), "file_unreadable"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        rows_of(content)


@given(st.binary(max_size=200), st.integers(120, 2_000))
@settings(deadline=None, max_examples=60)
def test_any_damage_is_read_or_refused(junk: bytes, place: int) -> None:
    xml = book(sheet(ROWS))
    try:
        rows_of(xml[:place] + junk + xml[place:])
    except Unreadable:
        return


@pytest.mark.django_db
def test_a_sheet_is_sent_like_any_other() -> None:
    batch = make_batch(book(sheet(ROWS)), file_name="list.xls", text="Hi {Name}")
    assert (batch.state, batch.good) == ("ready", 1)
    assert StagedRow.objects.get().text == "Hi 李"
