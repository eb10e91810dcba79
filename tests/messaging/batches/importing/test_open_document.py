"""Reading sheets of OpenDocument files, and refusing those made to exhaust the reader."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.batches.choices import Choices
from messaging.batches.importing.file_errors import Unreadable
from messaging.batches.importing.sheet_facts import MAX_COLUMNS
from messaging.models import StagedRow
from tests.factories.batches import make_batch

from .opened_tables import rows_of, table_of

MIME_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
COVERED = "covered-table-cell"
CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
NAMESPACES = f'xmlns:calcext="{CALC}" ' + " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{full}:1.0"'
    for name, full in {
        "office": "office", "table": "table", "text": "text", "style": "style",
        "draw": "drawing", "config": "config", "manifest": "manifest",
    }.items()
)  # fmt: skip


def sheet(rows: str, name: str = "List", style: str = "") -> str:
    return f'<table:table table:name="{name}" table:style-name="{style}">{rows}</table:table>'


def row(*cells: str, more: str = "") -> str:
    return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"


def cell(text: str = "", more: str = "", word: str = "table-cell") -> str:
    shown = f"<text:p>{text}</text:p>" if text else ""
    return f"<table:{word} {more}>{shown}</table:{word}>"


def content_of(sheets: str, styles: str = "") -> str:
    return (
        f"<office:document-content {NAMESPACES}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:spreadsheet>{sheets}"
        "</office:spreadsheet></office:body></office:document-content>"
    )


def ods(sheets: str, styles: str = "", kind: str = MIME_TYPE, **parts: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", kind, zipfile.ZIP_STORED)
        file.writestr("content.xml", content_of(sheets, styles))
        for name, part in parts.items():
            file.writestr(name.replace("__", "/") + ".xml", part)
    return content.getvalue()


def shown(xml: str) -> list[str]:
    ((_, cells),) = rows_of(ods(sheet(row(xml))))
    return cells


# --- cells ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        (cell("13912345678", 'office:value-type="string"'), "13912345678"),
        (cell("15%", 'office:value-type="percentage" office:value="0.15"'), "15%"),
        (cell("000042", 'office:value-type="float" office:value="42"'), "000042"),
        (cell("1,234.50", 'office:value-type="currency" office:value="1234.5"'), "1,234.50"),
        (cell("1.39E+10", 'office:value-type="float" office:value="13912345678"'), "13912345678"),
        (cell("", 'office:value-type="float" office:value="13912345678"'), "13912345678"),
        (cell("", 'office:value-type="percentage" office:value="0.07"'), "7%"),
        (cell("", 'office:value-type="string" office:string-value="Li"'), "Li"),
        (cell("", 'office:value-type="boolean" office:boolean-value="true"'), "TRUE"),
        (cell("", 'office:value-type="date" office:date-value="2026-03-01"'), "2026-03-01"),
        (cell("a<text:span>b</text:span> <text:a>c</text:a>\n d"), "ab c d"),
        (cell('a<text:s text:c="3"/>b<text:tab/>c<text:line-break/>d'), "a   b\tc\nd"),
        (cell("a</text:p><text:p>b"), "a\nb"),
        (cell("李<text:ruby><text:ruby-text>Lǐ</text:ruby-text></text:ruby>"), "李"),
        ("<table:table-cell>\n  <text:p>a</text:p>\n</table:table-cell>", "a"),
    ],
)
def test_cells_are_read_as_the_sheet_shows_them(xml: str, text: str) -> None:
    assert shown(xml) == [text]


def test_a_number_beyond_15_digits_stays_visibly_shortened() -> None:
    long = 'office:value-type="float" office:value="202611280000123456"'
    assert shown(cell("2.026E+17", long)) == ["2.02611280000123e+17"]


@pytest.mark.parametrize(
    "inside",
    [
        "<office:annotation><text:p>a comment</text:p></office:annotation>",
        "<draw:frame><draw:text-box><text:p>a box</text:p></draw:text-box></draw:frame>",
        "<table:table><table:table-row/></table:table>",
    ],
)
def test_comments_and_drawings_are_no_text_of_a_cell(inside: str) -> None:
    assert shown(f"<table:table-cell>{inside}<text:p>Li</text:p></table:table-cell>") == ["Li"]


def test_a_failed_formula_is_empty() -> None:
    error = cell("Err:502", 'calcext:value-type="error" office:value-type="float" office:value="0"')
    assert shown(error + cell("x")) == ["", "x"]


# --- rows and columns -------------------------------------------------------------


def test_repeated_cells_and_rows_are_written_out() -> None:
    rows = (
        row(cell("a", 'table:number-columns-repeated="2"'), cell("b"))
        + row(cell(), more='table:number-rows-repeated="5"')
        + row(cell("c"), more='table:number-rows-repeated="2"')
        + row(cell("", 'table:number-columns-repeated="16384"'),
              more='table:number-rows-repeated="1048568"')
    )  # fmt: skip
    assert rows_of(ods(sheet(rows))) == [(1, ["a", "a", "b"]), (7, ["c"]), (8, ["c"])]


@pytest.mark.parametrize(
    "rows",
    [
        row(cell("a"), more='table:number-rows-repeated="1048577"'),
        row(cell("a"), more='table:number-rows-repeated="600000"') * 2,
        row(cell("a"), more='table:number-rows-repeated="9999999999"'),
        row(cell("a"), more='table:number-rows-repeated="-1"'),
        row(cell("a", 'table:number-columns-repeated="1e9"')),
    ],
)
def test_more_rows_than_a_sheet_can_have_are_refused(rows: str) -> None:
    with pytest.raises(Unreadable, match="file_unreadable"):
        for _ in table_of(ods(sheet(rows))).rows:
            pass


def test_a_repeated_row_is_not_held_in_memory() -> None:
    rows = table_of(ods(sheet(row(cell("a"), more='table:number-rows-repeated="1048576"')))).rows
    first, second = next(rows), next(rows)
    assert (first, second) == ((1, ["a"]), (2, ["a"]))
    assert first[1] is second[1]


def test_repeated_columns_are_bounded() -> None:
    ((_, cells),) = rows_of(ods(sheet(row(cell("a", 'table:number-columns-repeated="999999"')))))
    assert cells == ["a"] * MAX_COLUMNS


HIDDEN = (
    row(cell("Phone"))
    + row(cell("13912345678"))
    + row(cell("13800138000"), more='table:visibility="filter"')
    + row(cell("13700137000"), more='table:visibility="collapse"')
    + "<table:table-row-group table:display='false'>"
    + row(cell("13600136000"))
    + "</table:table-row-group>"
    + row(cell("13500135000"))
)


def test_hidden_rows_are_counted_and_left_out_on_request() -> None:
    table = table_of(ods(sheet(HIDDEN)))
    assert len(list(table.rows)) == 6
    assert (table.facts().hidden_rows, table.facts().hidden_ranges) == (3, [[3, 5]])
    rows = rows_of(ods(sheet(HIDDEN)), Choices(leave_out_hidden=True))
    assert [number for number, _ in rows] == [1, 2, 6]


def test_hidden_columns_are_known() -> None:
    columns = (
        '<table:table-column table:number-columns-repeated="2"/>'
        '<table:table-column table:visibility="collapse" table:number-columns-repeated="16382"/>'
    )
    table = table_of(ods(sheet(columns + row(cell("a")))))
    list(table.rows)
    assert table.facts().hidden_columns == set(range(2, MAX_COLUMNS))


def test_a_merged_value_applies_to_its_rows() -> None:
    rows = (
        row(cell("13912345678"), cell("Li", 'table:number-rows-spanned="2"'))
        + row(cell("13800138000"), cell("old", word=COVERED))
        + row(cell("Title", 'table:number-columns-spanned="2"'), cell("x", "", COVERED))
    )
    table = table_of(ods(sheet(rows)))
    assert [cells for _, cells in table.rows] == [
        ["13912345678", "Li"], ["13800138000", "Li"], ["Title", ""],
    ]  # fmt: skip
    assert table.facts().merges.places == ["B1:B2", "A3:B3"]


# --- sheets -----------------------------------------------------------------------

COVER, LIST = sheet(row(cell("Read me")), "Cover"), sheet(row(cell("13912345678")), "List")


def test_a_cover_is_passed_over_and_every_sheet_is_offered() -> None:
    table = table_of(ods(COVER + LIST))
    assert (table.sheets, table.sheet) == (["Cover", "List"], 1)
    assert list(table.rows) == [(1, ["13912345678"])]
    assert rows_of(ods(COVER + LIST), Choices(sheet=0)) == [(1, ["Read me"])]


def test_the_sheet_in_front_is_read() -> None:
    front = (
        f'<office:document-settings {NAMESPACES}><config:config-item config:name="ActiveTable">'
        "Second</config:config-item></office:document-settings>"
    )
    other = sheet(row(cell("13800138000")), "Second")
    assert rows_of(ods(LIST + other, settings=front)) == [(1, ["13800138000"])]
    assert rows_of(ods(LIST + other)) == [(1, ["13912345678"])]


def test_hidden_sheets_are_skipped() -> None:
    styles = (
        '<style:style style:name="ta2" style:family="table">'
        '<style:table-properties table:display="false"/></style:style>'
    )
    hidden = sheet(row(cell("13800138000")), "Old", "ta2")
    table = table_of(ods(hidden + LIST, styles))
    assert (table.sheets, list(table.rows)) == (["List"], [(1, ["13912345678"])])


def test_cells_outside_of_sheets_are_not_read() -> None:
    changes = "<table:tracked-changes>" + sheet(row(cell("13800138000")), "x")
    assert rows_of(ods(changes + "</table:tracked-changes>" + LIST)) == [(1, ["13912345678"])]


def test_a_document_in_one_xml_file_is_read() -> None:
    xml = content_of(COVER + LIST).replace("document-content", "document")
    assert rows_of(f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}'.encode()) == [
        (1, ["13912345678"])
    ]


# --- refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (ods(LIST, kind="application/vnd.oasis.opendocument.text"), "file_open_document"),
        (ods(""), "file_open_document"),
        (
            ods(LIST, **{"META-INF__manifest": f"<manifest:m {NAMESPACES}>"
                "<manifest:encryption-data/></manifest:m>"}),
            "file_protected",
        ),
        (ods("<a>" * 3_000), "file_unreadable"),
        (ods(LIST.replace("13912", "&x;")), "file_unreadable"),
        (ods(f'<a b="{"1" * 3_000_000}"/>'), "file_unreadable"),
        (ods(" " * 30_000_000), "file_unreadable"),
        (ods("".join(sheet("", str(number)) for number in range(2_001))), "file_unreadable"),
        (ods(LIST)[:-200], "file_unreadable"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        rows_of(content)


@given(st.binary(max_size=200), st.integers(0, 2_000))
@settings(deadline=None, max_examples=60)
def test_any_damage_is_read_or_refused(junk: bytes, place: int) -> None:
    xml = content_of(sheet(HIDDEN)).encode()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("mimetype", MIME_TYPE)
        file.writestr("content.xml", xml[:place] + junk + xml[place:])
    try:
        rows_of(content.getvalue())
    except Unreadable:
        return


@pytest.mark.django_db
def test_a_sheet_is_sent_like_any_other() -> None:
    content = ods(sheet(row(cell("Phone"), cell("Name")) + row(cell("13912345678"), cell("Li"))))
    batch = make_batch(content, file_name="list.ods", text="Hi {Name}")
    assert (batch.state, batch.good) == ("ready", 1)
    assert StagedRow.objects.get().text == "Hi Li"
