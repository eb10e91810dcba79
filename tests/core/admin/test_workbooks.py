"""Workbooks that are written in pieces open like those that are written at once."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from openpyxl import load_workbook

from core.admin.workbooks import Pieces, joined_workbook, rows_piece, write_workbook

HEADINGS = ["Number", "Text"]
ODD = ["=1+1", "  blanks  ", "<&>\"'", "line\nline", "😀 汉字", "http://example.com", "007", ""]


def opened(content: bytes) -> list[list[list[object]]]:
    """The cells of each sheet."""
    book = load_workbook(io.BytesIO(content))
    return [[[cell.value for cell in row] for row in sheet.rows] for sheet in book]


def joined(*sheets: Sequence[Iterable[Sequence[str]]]) -> bytes:
    pieces = []
    for sheet in sheets:
        xml, rows = [], 0
        for part in sheet:
            lines = list(part)
            xml.append(rows_piece(rows + 1, lines))
            rows += len(lines)
        pieces.append(Pieces(rows, sum(map(len, xml)), iter(xml)))
    return b"".join(joined_workbook(HEADINGS, pieces))


def whole(rows: Iterable[Sequence[str]]) -> bytes:
    file = io.BytesIO()
    write_workbook(file, [HEADINGS, *rows])
    return file.getvalue()


def test_pieces_make_the_same_rows_as_one_workbook() -> None:
    rows = [[str(number), text] for number, text in enumerate(ODD * 3)]
    assert opened(joined([rows[:5], rows[5:6], rows[6:]])) == opened(whole(rows))


def test_every_sheet_has_the_headings() -> None:
    found = opened(joined([[["1", "a"]]], [[["2", "b"]], [["3", "c"]]]))
    assert found == [[HEADINGS, ["1", "a"]], [HEADINGS, ["2", "b"], ["3", "c"]]]


def test_nothing_is_a_formula_or_a_number() -> None:
    for content in (whole([["1", "=1+1"]]), joined([[["1", "=1+1"]]])):
        row = list(load_workbook(io.BytesIO(content)).worksheets[0].rows)[1]
        assert [(cell.value, cell.data_type) for cell in row] == [("1", "s"), ("=1+1", "s")]


def test_sheet_states_how_many_rows_it_has() -> None:
    content = joined([[["1", "a"]], [["2", "b"]]])
    assert load_workbook(io.BytesIO(content), read_only=True).worksheets[0].max_row == 3


def test_workbook_without_rows_has_its_headings() -> None:
    assert opened(joined([])) == [[HEADINGS]]
    assert opened(joined([[]])) == [[HEADINGS]]
