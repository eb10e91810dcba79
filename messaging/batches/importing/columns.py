"""Detect the heading row and the column of phone numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final

from django.conf import settings

from core.phone import PhoneError, PhoneProblem, parse_number

from .xlsx_values import Cells, NumberedRow

SAMPLE: Final = 200
"""Rows that are used for the detection."""
MIN_SHARE: Final = 0.5
"""Smallest share of phone numbers in a column of phone numbers."""
NUMBER_HEADING: Final = re.compile(
    r"phone|mobile|cell|msisdn|tel|number|手机|号码|电话", re.IGNORECASE
)
LONGEST_NAME: Final = 64


@dataclass(frozen=True)
class Columns:
    names: list[str]
    number: int | None
    """Index of the column of phone numbers; None if no column looks like one."""
    has_heading: bool


def columns_of(sample: Sequence[NumberedRow]) -> Columns:
    """Detect the columns from the first rows of the table."""
    width = max(len(cells) for _, cells in sample)
    heading = sample[0][1]
    has_heading = _is_heading(heading) and len(sample) > 1
    if has_heading:
        named = _columns(heading, width, sample[1:])
        if named.number is None or _can_be_number_heading(heading, named.number):
            return named
    return _columns(None, width, sample)


def _columns(heading: Cells | None, width: int, body: Sequence[NumberedRow]) -> Columns:
    names = _unique(heading or [], width)
    return Columns(
        names, _guess_number_column(names, [cells for _, cells in body]), heading is not None
    )


def _is_heading(cells: Cells) -> bool:
    return not any(sum(sign.isdigit() for sign in cell) >= 5 for cell in cells)


def _can_be_number_heading(heading: Cells, column: int) -> bool:
    """False if the cell is a faulty number: then the row is data, and its fault is reported."""
    try:
        parse_number(heading[column] if column < len(heading) else "", settings.HOME_COUNTRY)
    except PhoneError as error:
        return error.kind in (PhoneProblem.EMPTY, PhoneProblem.LETTER, PhoneProblem.CHARACTER)
    return False


def _unique(heading: Cells, width: int) -> list[str]:
    """A unique name for each column: its heading, or else its letter."""
    names: list[str] = []
    for index in range(width):
        cell = " ".join(heading[index].split())[:LONGEST_NAME] if index < len(heading) else ""
        name = base = cell.strip("{}") or _letters(index)
        serial = 2
        while name.casefold() in {known.casefold() for known in names}:
            name, serial = f"{base} {serial}", serial + 1
        names.append(name)
    return names


def _letters(index: int) -> str:
    """The column name in a spreadsheet: A … Z, AA …"""
    letters = ""
    while index >= 0:
        letters, index = ascii_uppercase[index % 26] + letters, index // 26 - 1
    return letters


def _guess_number_column(names: Sequence[str], body: Sequence[Cells]) -> int | None:
    best: tuple[float, bool, int] | None = None
    for index, name in enumerate(names):
        cells = [row[index] for row in body if index < len(row) and row[index].strip()]
        if not cells:
            continue
        share = sum(map(_looks_like_a_number, cells)) / len(cells)
        named = bool(NUMBER_HEADING.search(name))
        rank = (round(share, 1), named, -index)
        if share >= MIN_SHARE and (best is None or rank > best):
            best = rank
    return None if best is None else -best[2]


def _looks_like_a_number(cell: str) -> bool:
    try:
        parse_number(cell, settings.HOME_COUNTRY)
    except PhoneError as error:
        return error.kind == PhoneProblem.SHORTENED
    return True
