"""Numbers whose last digits a spreadsheet dropped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

EXPONENT: Final = re.compile(
    r"[+-]?[0-9]{1,3}(?:[.,][0-9]+)?[eE]\+[0-9]{2,3}|[+-]?[0-9][.,][0-9]+[eE][0-9]{1,3}"
)
"""2.02611E+17. Without a plus sign only with a decimal part, since 5E2 may be a flat."""
FIRST_SIGNS: Final = "0123456789+-"
ZEROS: Final = "00000"
"""A number of 11 digits that was shortened to 1.39123E+10 has five zeros at its end."""
LEAST: Final = 2


def is_shortened(cell: str) -> bool:
    """Whether a spreadsheet wrote the cell in scientific notation."""
    if "e" not in cell and "E" not in cell:
        return False
    plain = cell.strip()
    return plain[:1] in FIRST_SIGNS and EXPONENT.fullmatch(plain) is not None


def are_mostly_shortened(numbers: Iterable[str]) -> bool:
    """Whether most of these numbers were shortened and then saved again with zeros.

    One number in 100,000 ends in five zeros by chance.
    """
    different = set(numbers)
    rounded = sum(number.endswith(ZEROS) for number in different)
    return rounded >= LEAST and rounded * 2 > len(different)
