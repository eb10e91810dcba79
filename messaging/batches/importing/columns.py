"""Detect the heading row and the column of phone numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from core.phones.parse import PhoneError, PhoneProblem

from .cell_places import letters
from .empty_words import is_empty_word
from .headings import DEEPEST, find_heading
from .merged_cells import MergedCells
from .names import LONGEST_NAME, Naming, fold, naming_of, unwrapped, visible
from .number_cells import read_number
from .shortened import are_mostly_shortened
from .xlsx_values import Cells, NumberedRow

SAMPLE: Final = 200
"""Rows that are used for the detection."""
MIN_SHARE: Final = 0.5
"""Smallest share of phone numbers in a column of phone numbers."""
DIGITS_OF_A_NUMBER: Final = range(7, 40)
"""Digits of what may be a phone number, if a faulty one, or several in one cell."""


@dataclass(frozen=True)
class Columns:
    names: list[str]
    number: int | None
    """Index of the column of phone numbers; None if no column looks like one."""
    heading: int | None
    """Index of the heading row in the sample; None: the columns have no names."""
    candidates: list[int]
    """The other columns that may contain phone numbers, the most likely one first."""
    is_named: bool
    """Whether the heading names the number column as one of phones."""

    @property
    def has_heading(self) -> bool:
        return self.heading is not None


def columns_of(
    sample: Sequence[NumberedRow],
    *,
    heading_row: int | None = None,
    hidden: Collection[int] = (),
    merges: MergedCells | None = None,
) -> Columns:
    """Detect the columns from the first rows of the table.

    `heading_row`: the row number that staff chose; 0 if the table has no heading. `hidden`:
    columns that the sheet hides; one of them is taken only if no other can be. `merges`: a merged
    heading names each of its columns, and ends with the last of its rows.
    """
    heading = _chosen(sample, heading_row)
    headings: Cells = []
    if heading is not None:
        if merges is not None and heading_row is None:
            heading = _last_row_of(heading, sample, merges)
        number, headings = sample[heading]
        headings = merges.headings(number, headings) if merges is not None else headings
    width = max(len(headings), *(len(cells) for _, cells in sample))
    body = [cells for _, cells in sample[0 if heading is None else heading + 1 :]]
    names = _unique(headings, width)
    ranked = _rank(names, body, hidden) if body else []
    found = [index for index, _, is_safe in ranked if is_safe][:1]
    column = found[0] if found else None
    return Columns(
        names,
        column,
        heading,
        [index for index, _, _ in ranked if index != column],
        column is not None and naming_of(names[column]) > Naming.NONE and heading is not None,
    )


def _last_row_of(heading: int, sample: Sequence[NumberedRow], merges: MergedCells) -> int:
    """The index of the row in which a heading of several rows ends."""
    last = merges.last_heading_row(sample[heading][0], DEEPEST)
    within = [index for index, (number, _) in enumerate(sample) if number <= last]
    return max(heading, within[-1] if within else heading)


def _chosen(sample: Sequence[NumberedRow], heading_row: int | None) -> int | None:
    if heading_row is None:
        return find_heading(sample, looks_like_a_number)
    rows = [number for number, _ in sample]
    return rows.index(heading_row) if heading_row in rows else None


def _unique(heading: Cells, width: int) -> list[str]:
    """A unique name for each column: its heading, or else its letter."""
    names: list[str] = []
    known: set[str] = set()
    for index in range(width):
        cell = visible(unwrapped(heading[index])) if index < len(heading) else ""
        name = base = cell[:LONGEST_NAME].strip("{}") or letters(index)
        serial = 2
        while fold(name) in known:
            name, serial = f"{base} {serial}", serial + 1
        names.append(name)
        known.add(fold(name))
    return names


Rank = tuple[int, float, float, int]


def _rank(
    names: Sequence[str], body: Sequence[Cells], hidden: Collection[int]
) -> list[tuple[int, Rank, bool]]:
    """Columns that may contain phone numbers, the most likely first; whether each may be guessed.

    A heading that names phones comes before the share of numbers: order numbers look like phone
    numbers, and faulty phone numbers do not.
    """
    ranked = []
    for index, name in enumerate(names):
        cells = [row[index] for row in body if index < len(row) and not is_empty_word(row[index])]
        if not cells:
            continue
        naming = naming_of(name)
        share = sum(map(looks_like_a_number, cells)) / len(cells)
        similar = sum(map(_may_be_a_faulty_number, cells)) / len(cells)
        named = naming > Naming.NONE
        if max(share, similar) < MIN_SHARE:
            continue
        rank = (-int(naming), float(index in hidden), -round(share, 1), index)
        ranked.append((index, rank, named or (naming is Naming.NONE and share >= MIN_SHARE)))
    return sorted(ranked, key=lambda one: (not one[2], one[1]))


def is_rounded(body: Sequence[Cells], column: int) -> bool:
    """Whether a spreadsheet shortened most numbers of the column and saved them with zeros."""
    found = []
    for cells in body:
        try:
            typed = cells[column] if column < len(cells) else ""
            found.append(read_number(typed, settings.HOME_COUNTRY).e164)
        except PhoneError:
            continue
    return are_mostly_shortened(found)


def looks_like_a_number(cell: str) -> bool:
    if not any(sign.isdigit() for sign in cell):
        return False
    try:
        read_number(cell, settings.HOME_COUNTRY)
    except PhoneError as error:
        return error.kind == PhoneProblem.SHORTENED
    return True


def _may_be_a_faulty_number(cell: str) -> bool:
    """Whether it has about as many digits as a phone number, and hardly anything else."""
    digits = sum(sign.isdigit() for sign in cell)
    return (digits in DIGITS_OF_A_NUMBER and digits * 2 > len(cell)) or looks_like_a_number(cell)
