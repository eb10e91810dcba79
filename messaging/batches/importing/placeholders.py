"""Texts with placeholders for the columns of a file: “Dear {Name}, …”."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ... import segments
from .xlsx_values import Cells

PLACEHOLDER: Final = re.compile(r"\{([^{}\n]{1,64})\}")

BLANK: Final = re.compile(r"[\x00-\x1f\s]+")


SPREADSHEET_ERRORS: Final = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}
)
"""What a spreadsheet shows for a failed formula. These must never reach a recipient."""


def placeholders_in(text: str) -> list[str]:
    """The distinct placeholder names in a text."""
    return list(dict.fromkeys(name.strip() for name in PLACEHOLDER.findall(text)))


class EmptyPlaceholder(ValueError):
    """A row has no value for this placeholder. An incomplete text is not sent."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class FilledText:
    text: str
    encoding: str
    segments: int


class Pattern:
    """Fills the placeholders of a text from the rows of a table.

    `unknown` lists the placeholders that name no column.
    """

    def __init__(self, text: str, columns: Sequence[str]) -> None:
        self._text = segments.normalise_line_ends(text)
        index_of = {name.casefold(): index for index, name in enumerate(columns)}
        found = [(name, index_of.get(name.casefold())) for name in placeholders_in(text)]
        self.unknown = [name for name, index in found if index is None]
        self._indices = {name: index for name, index in found if index is not None}
        counted = segments.count(self._text)
        self._plain = FilledText(self._text, counted.encoding, counted.segments)

    @property
    def has_placeholders(self) -> bool:
        return bool(self._indices)

    def fill(self, cells: Cells) -> FilledText:
        """The text for one row. Raises `EmptyPlaceholder`."""
        if not self.has_placeholders:
            return self._plain
        values = {name: _clean(cells, index) for name, index in self._indices.items()}
        for name, value in values.items():
            if not value:
                raise EmptyPlaceholder(name)
        text = PLACEHOLDER.sub(lambda place: values[place.group(1).strip()], self._text)
        counted = segments.count(text)
        return FilledText(text, counted.encoding, counted.segments)


def _clean(cells: Cells, index: int) -> str:
    """The cell as one line without control characters; empty for a spreadsheet error."""
    value = BLANK.sub(" ", cells[index] if index < len(cells) else "").strip()
    return "" if value in SPREADSHEET_ERRORS else value
