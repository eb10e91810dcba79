"""Merged cells show one value over several rows or columns."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook as OpenpyxlWorkbook

from messaging.batches.importing.columns import columns_of
from messaging.batches.importing.file_errors import Unreadable
from messaging.batches.importing.merged_cells import MergedCells
from messaging.models import Batch, StagedRow
from tests.factories.batches import make_batch

from .opened_tables import rows_of, table_of
from .test_xlsx import SHEETS, raw_workbook


def workbook(*rows: tuple[str, ...], merged: tuple[str, ...]) -> bytes:
    book = OpenpyxlWorkbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for place in merged:
        sheet.merge_cells(place)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def with_merges(rows: str, *places: str) -> bytes:
    cells = "".join(f'<mergeCell ref="{place}"/>' for place in places)
    sheet = (
        f'<worksheet xmlns="{SHEETS}"><sheetData>{rows}</sheetData>'
        f"<mergeCells>{cells}</mergeCells></worksheet>"
    )
    return raw_workbook("", xl__worksheets__sheet1=sheet)


def inline(number: int, *cells: str) -> str:
    return f'<row r="{number}">' + "".join(
        f'<c r="{chr(65 + index)}{number}" t="str"><v>{value}</v></c>'
        for index, value in enumerate(cells)
    ) + "</row>"  # fmt: skip


def test_what_covered_cells_hold_is_not_shown_and_not_read() -> None:
    rows = inline(1, "a", "b", "old") + inline(2, "c", "older", "oldest") + inline(4, "d", "e", "f")
    assert rows_of(with_merges(rows, "B1:C3")) == [
        (1, ["a", "b", ""]),
        (2, ["c", "b", ""]),
        (4, ["d", "e", "f"]),
    ]


def test_the_value_of_a_hidden_row_is_shown_below_it() -> None:
    rows = inline(1, "a", "b").replace("<row", '<row hidden="1"') + inline(2, "c")
    table = table_of(with_merges(rows, "B1:B2"))
    assert list(table.rows) == [(1, ["a", "b"]), (2, ["c", "b"])]


def test_a_row_that_holds_nothing_else_is_still_empty() -> None:
    rows = inline(1, "a", "b") + inline(2) + inline(3, "c")
    assert [number for number, _ in rows_of(with_merges(rows, "B1:B3"))] == [1, 3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_merged_cells_are_found_in_any_encoding(encoding: str) -> None:
    mark = "" if encoding == "utf-8" else "\ufeff"
    sheet = (
        f'{mark}<worksheet xmlns="{SHEETS}"><sheetData>{inline(1, "a")}{inline(2, "", "x")}'
        '</sheetData><mergeCells><mergeCell ref="A1:A2"/></mergeCells></worksheet>'
    ).encode(encoding)
    content = raw_workbook("", xl__worksheets__sheet1=sheet)
    assert rows_of(content) == [(1, ["a"]), (2, ["a", "x"])]


@pytest.mark.django_db
def test_a_heading_over_several_rows_and_columns_names_each_column() -> None:
    content = workbook(
        ("Phone", "Name", ""),
        ("", "First", "Last"),
        ("13912345678", "Wei", "Li"),
        merged=("A1:A2", "B1:C1"),
    )
    batch = make_batch(content, file_name="a.xlsx", text="Dear {Last} {First}")
    assert Batch.objects.get().columns == ["Phone", "First", "Last"]
    assert (batch.number_column, StagedRow.objects.get().text) == (0, "Dear Li Wei")


def test_a_heading_over_several_columns_names_each_of_them() -> None:
    content = workbook(("Name", "Phone", ""), ("Li", "+86", "13912345678"), merged=("B1:C1",))
    table = table_of(content)
    columns = columns_of(list(table.rows), merges=table.facts().merges)
    assert (columns.names, columns.number) == (["Name", "Phone", "Phone 2"], 2)
    assert columns.is_named


@pytest.mark.parametrize(
    ("page", "rows"),
    [
        (
            "<tr><td rowspan=2>a<td>b<td>c<tr><td>d<td>e<tr><td>f",
            [["a", "b", "c"], ["a", "d", "e"], ["f"]],
        ),
        (
            "<tr><td>a<td rowspan=2 colspan=2>b<td>c<tr><td>d<td>e",
            [["a", "b", "", "c"], ["d", "b", "", "e"]],
        ),
        ("<tr><td rowspan=9>a<td>b</table><table><tr><td>c<td>d", [["a", "b"], ["c", "d"]]),
        ("<tr><td rowspan=0>a<td rowspan=x>b<tr><td>c<td>d", [["a", "b"], ["c", "d"]]),
    ],
)
def test_cells_of_a_web_page_stand_where_they_are_shown(page: str, rows: list[list[str]]) -> None:
    assert [cells for _, cells in rows_of(f"<table>{page}</table>".encode())] == rows


def test_overlapping_cells_are_those_of_a_damaged_file() -> None:
    places = [f"A1:GR{number}" for number in range(2, 5)]
    with pytest.raises(Unreadable, match="file_unreadable"):
        rows_of(with_merges(inline(1, "a"), *places))


def test_merged_cells_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.batches.importing.merged_cells.MAX_MERGES", 10)
    with pytest.raises(Unreadable, match="file_unreadable"):
        rows_of(with_merges(inline(1, "a"), *(f"A{number}:B{number}" for number in range(1, 13))))


areas = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 3), st.integers(0, 4), st.integers(0, 2)),
    max_size=4,
)


@given(areas, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_each_cell_shows_the_first_value_of_its_area(
    areas: list[tuple[int, ...]], mixed: object
) -> None:
    taken: set[tuple[int, int]] = set()
    merges = MergedCells(50)
    shown = {(row, column): f"{row}.{column}" for row in range(1, 14) for column in range(8)}
    for row, high, column, wide in areas:
        covered = {(row + i, column + j) for i in range(high + 1) for j in range(wide + 1)}
        if covered & taken:
            continue
        taken |= covered
        merges.add(row, row + high, column, column + wide)
        for place in covered:
            shown[place] = f"{row}.{column}" if place[1] == column else ""
    for row in range(1, 14):
        cells = [f"{row}.{column}" for column in range(8)]
        merges.fill(row, cells)
        assert cells == [shown[row, column] for column in range(8)]
        for column in range(8):
            spans = [
                (first, first + high) for first, high, left, wide in areas
                if left == column and high and first <= row <= first + high
            ]  # fmt: skip
            found = merges.rows_of(row, column)
            assert found is None or found in spans
