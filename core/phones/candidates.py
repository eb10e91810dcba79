"""All phone numbers that a text may mean, for comparing their hashes.

The reverse of `core.phones.traces`: there the number is known and its writings are looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import phonenumbers

from .traces import ANY_DIGIT, GAP, SHORTEST_ALONE, ZEROS

LONGEST: Final = 15
"""Digits of a number with its country code (E.164)."""
SHORTEST: Final = 7
_ZEROS: Final = 3
"""In front: `00` for a call abroad, and the `0` of a country."""
_PLUS: Final = r"(?:\+|%2[Bb])"
_RUN: Final = re.compile(rf"{_PLUS}?[{ANY_DIGIT}]+(?:{GAP}[{ANY_DIGIT}]+)*")
_BLOCK: Final = re.compile(rf"((?:{GAP}|{_PLUS})?)([{ANY_DIGIT}]+)")
_CODES: Final = frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
_ASCII: Final = str.maketrans(
    {chr(zero + digit): str(digit) for zero in ZEROS for digit in range(10)}
)
Written = tuple[str, bool]
"""Digits, and whether a plus sign stands in front of them."""


def written_numbers(text: str) -> set[Written]:
    """Digits in `text` that may be a number, in groups or not."""
    found: set[Written] = set()
    for run in _RUN.finditer(text):
        if len(run.group()) >= SHORTEST:
            found.update(_in_run(run.group().translate(_ASCII)))
    return found


def _in_run(run: str) -> Iterator[Written]:
    """A number begins and ends with a group. Several may stand beside each other."""
    blocks = [
        (gap[-1:] == "+" or gap.upper().endswith("%2B"), digits)
        for gap, digits in _BLOCK.findall(run)
    ]
    for start, (has_plus, _digits) in enumerate(blocks):
        written = ""
        for _plus, digits in blocks[start:]:
            written += digits
            if len(written) > LONGEST + _ZEROS:
                break
            if len(written) >= SHORTEST:
                yield written, has_plus


def meanings(written: Written) -> Iterator[str]:
    """The numbers (E.164) that these digits may be, in whatever country."""
    digits, has_plus = written
    for zeros in range(_ZEROS):
        if digits[:zeros].strip("0"):
            break
        yield from _international(digits[zeros:])
    if not has_plus and len(digits) >= SHORTEST_ALONE:
        national = [digits, digits[1:]] if digits.startswith("0") else [digits]
        for rest in national:
            for code in _CODES:
                if len(code) + len(rest) <= LONGEST:
                    yield f"+{code}{rest}"


def _international(digits: str) -> Iterator[str]:
    yield f"+{digits}"
    for length in (1, 2, 3):
        code, rest = digits[:length], digits[length:]
        if code in _CODES and rest.startswith("0"):
            yield f"+{code}{rest[1:]}"
