"""Texts with placeholders for the columns of a file: “Dear {Name}, …”."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ... import segments
from .empty_words import is_empty_word
from .names import fold, unwrapped
from .shortened import is_shortened
from .xlsx_values import Cells

PLACEHOLDER: Final = re.compile(r"\{([^{}\n]{1,64})\}")

BLANK: Final = re.compile(r"[\x00-\x1f\s]+")


def placeholders_in(text: str) -> list[str]:
    """The distinct placeholder names in a text."""
    return list(dict.fromkeys(name.strip() for name in PLACEHOLDER.findall(text)))


class EmptyPlaceholder(ValueError):
    """A row has no value for this placeholder. An incomplete text is not sent."""

    def __init__(self, name: str, word: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.word = word
        """The word for “no value” that the cell holds, such as NULL."""


class ShortenedPlaceholder(ValueError):
    """A spreadsheet shortened the value of this placeholder, so its last digits are lost."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(name)
        self.name = name
        self.value = value


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
        index_of = {fold(name): index for index, name in enumerate(columns)}
        found = [(name, index_of.get(fold(name))) for name in placeholders_in(text)]
        self.unknown = [name for name, index in found if index is None]
        self._indices = {name: index for name, index in found if index is not None}
        counted = segments.count(self._text)
        self._plain = FilledText(self._text, counted.encoding, counted.segments)

    @property
    def has_placeholders(self) -> bool:
        return bool(self._indices)

    def fill(self, cells: Cells) -> FilledText:
        """The text for one row. Raises `EmptyPlaceholder` and `ShortenedPlaceholder`."""
        if not self.has_placeholders:
            return self._plain
        values = {name: _clean(cells, index) for name, index in self._indices.items()}
        for name, value in values.items():
            if is_empty_word(value):
                raise EmptyPlaceholder(name, value)
            if is_shortened(value):
                raise ShortenedPlaceholder(name, value)
        text = PLACEHOLDER.sub(lambda place: values[place.group(1).strip()], self._text)
        counted = segments.count(text)
        return FilledText(text, counted.encoding, counted.segments)


def _clean(cells: Cells, index: int) -> str:
    """The cell as one line without control characters."""
    return BLANK.sub(" ", unwrapped(cells[index]) if index < len(cells) else "").strip()
