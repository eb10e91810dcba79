"""Which row names the columns, and which column holds the phone numbers."""

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
"""Rows that the guess looks at."""
LIKELY: Final = 0.5
"""Share of numbers from which on a column is one of phone numbers."""
NAMES: Final = re.compile(r"phone|mobile|cell|msisdn|tel|number|手机|号码|电话", re.IGNORECASE)
LONGEST_NAME: Final = 64


@dataclass(frozen=True)
class Columns:
    names: list[str]
    number: int | None
    """Index of the phone numbers; None where no column looks like them."""
    has_heading: bool


def columns_of(sample: Sequence[NumberedRow]) -> Columns:
    """`sample`: the first rows of the table."""
    width = max(len(cells) for _, cells in sample)
    heading = sample[0][1]
    has_heading = _is_heading(heading) and len(sample) > 1
    if has_heading:
        named = _found(heading, width, sample[1:])
        if named.number is None or _may_name_numbers(heading, named.number):
            return named
    return _found(None, width, sample)


def _found(heading: Cells | None, width: int, body: Sequence[NumberedRow]) -> Columns:
    names = _unique(heading or [], width)
    return Columns(names, _guess(names, [cells for _, cells in body]), heading is not None)


def _is_heading(cells: Cells) -> bool:
    return not any(sum(sign.isdigit() for sign in cell) >= 5 for cell in cells)


def _may_name_numbers(heading: Cells, column: int) -> bool:
    """Not where the cell is a number with a fault: that is a row, and its fault is told."""
    try:
        parse_number(heading[column] if column < len(heading) else "", settings.HOME_COUNTRY)
    except PhoneError as error:
        return error.kind in (PhoneProblem.EMPTY, PhoneProblem.LETTER, PhoneProblem.CHARACTER)
    return False


def _unique(heading: Cells, width: int) -> list[str]:
    """A name for each column: what stands over it, else its letter; none twice."""
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
    """As spreadsheets name columns: A … Z, AA …"""
    letters = ""
    while index >= 0:
        letters, index = ascii_uppercase[index % 26] + letters, index // 26 - 1
    return letters


def _guess(names: Sequence[str], body: Sequence[Cells]) -> int | None:
    best: tuple[float, bool, int] | None = None
    for index, name in enumerate(names):
        cells = [row[index] for row in body if index < len(row) and row[index].strip()]
        if not cells:
            continue
        share = sum(map(_looks_like_a_number, cells)) / len(cells)
        named = bool(NAMES.search(name))
        rank = (round(share, 1), named, -index)
        if share >= LIKELY and (best is None or rank > best):
            best = rank
    return None if best is None else -best[2]


def _looks_like_a_number(cell: str) -> bool:
    try:
        parse_number(cell, settings.HOME_COUNTRY)
    except PhoneError as error:
        return error.kind == PhoneProblem.SHORTENED
    return True
