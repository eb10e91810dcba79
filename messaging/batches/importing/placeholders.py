"""Texts with places for the columns of a file: “Dear {Name}, …”."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ... import segments
from .xlsx_values import Cells

PLACE: Final = re.compile(r"\{([^{}\n]{1,64})\}")

BLANK: Final = re.compile(r"[\x00-\x1f\s]+")


NOTHING_FOUND: Final = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}
)
"""What a spreadsheet writes for a formula that failed. Nobody is to be sent that."""


def places_in(text: str) -> list[str]:
    """The names in a text, each once."""
    return list(dict.fromkeys(name.strip() for name in PLACE.findall(text)))


class EmptyPlace(ValueError):
    """A row has nothing for this column: half a sentence is not sent."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Filled:
    text: str
    encoding: str
    segments: int


class Pattern:
    """A text and the columns of a table; fills in row after row."""

    def __init__(self, text: str, columns: Sequence[str]) -> None:
        self._text = segments.normalise_line_ends(text)
        index_of = {name.casefold(): index for index, name in enumerate(columns)}
        wanted = [(name, index_of.get(name.casefold())) for name in places_in(text)]
        self.unknown = [name for name, index in wanted if index is None]
        self._indices = {name: index for name, index in wanted if index is not None}
        counted = segments.count(self._text)
        self._plain = Filled(self._text, counted.encoding, counted.segments)

    @property
    def varies(self) -> bool:
        return bool(self._indices)

    def fill(self, cells: Cells) -> Filled:
        """Raises `EmptyPlace`."""
        if not self.varies:
            return self._plain
        values = {name: _clean(cells, index) for name, index in self._indices.items()}
        for name, value in values.items():
            if not value:
                raise EmptyPlace(name)
        text = PLACE.sub(lambda place: values[place.group(1).strip()], self._text)
        counted = segments.count(text)
        return Filled(text, counted.encoding, counted.segments)


def _clean(cells: Cells, index: int) -> str:
    """One line without control characters."""
    value = BLANK.sub(" ", cells[index] if index < len(cells) else "").strip()
    return "" if value in NOTHING_FOUND else value
