"""Places of cells, as spreadsheets write them: B2, and B2:C3 for several."""

from __future__ import annotations

import re
from string import ascii_uppercase
from typing import Final

_PLACE: Final = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")


def letters(index: int) -> str:
    """The column name in a spreadsheet: A … Z, AA …"""
    name = ""
    while index >= 0:
        name, index = ascii_uppercase[index % 26] + name, index // 26 - 1
    return name


def index_of(name: str) -> int:
    """The index of the column with these letters."""
    index = -1
    for letter in name:
        index = (index + 1) * 26 + ord(letter) - ord("A")
    return index


def area_of(place: str) -> tuple[int, int, int, int] | None:
    """First and last row, first and last column of B2:C3; None if it is no such place."""
    ends = [_PLACE.fullmatch(end) for end in place.split(":")[:2]]
    if not all(ends):
        return None
    rows = sorted(int(end[2]) for end in ends if end)
    columns = sorted(index_of(end[1]) for end in ends if end)
    return rows[0], rows[-1], columns[0], columns[-1]
