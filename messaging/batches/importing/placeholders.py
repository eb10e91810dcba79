"""Texts with placeholders for the columns of a file: “Dear {Name}, …”."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.text_cleaning import clean_text, clean_value

from ... import segments
from .empty_words import is_empty_word
from .lookalikes import (
    PLACE,
    find_lookalikes,
    fold_name,
    literal,
    nearest,
    protect,
    unprotect,
    without_escapes,
)
from .names import unwrapped
from .shortened import is_shortened
from .xlsx_values import Cells

PLACEHOLDER: Final = PLACE


def placeholders_in(text: str) -> list[str]:
    """The distinct placeholder names in a text."""
    return list(dict.fromkeys(name.strip() for name in PLACEHOLDER.findall(protect(text))))


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

    `unknown` lists the placeholders that name no column, `lookalikes` what only looks like one.
    """

    def __init__(self, text: str, columns: Sequence[str]) -> None:
        protected = protect(segments.normalise_line_ends(text))
        found = find_lookalikes(protected, columns)
        protected = without_escapes(protected, found)
        self._columns = columns
        self.lookalikes = [one for one in found if not one.escaped]
        self.unknown: list[str] = []
        self._names: dict[int, str] = {}
        """The placeholder of each column that the text uses."""
        self._pieces: list[str | int] = []
        """The text around the placeholders, and the columns in their places."""
        end = 0
        for place in PLACEHOLDER.finditer(protected):
            self._pieces.append(literal(protected[end : place.start()]))
            self._add_place(place[1].strip())
            end = place.end()
        self._pieces.append(literal(protected[end:]))
        self._plain = _filled("".join(map(str, self._pieces))) if not self._names else None

    def _add_place(self, name: str) -> None:
        index = _index_of(name, self._columns)
        if index is not None:
            self._names.setdefault(index, name)
            self._pieces.append(index)
        elif name not in self.unknown:
            self.unknown.append(name)

    @property
    def has_placeholders(self) -> bool:
        return bool(self._names)

    def fill(self, cells: Cells) -> FilledText:
        """The text for one row. Raises `EmptyPlaceholder` and `ShortenedPlaceholder`."""
        if self._plain is not None:
            return self._plain
        values = {index: _value(cells, index) for index in self._names}
        for index, value in values.items():
            if is_empty_word(value):
                raise EmptyPlaceholder(self._names[index], value)
            if is_shortened(value):
                raise ShortenedPlaceholder(self._names[index], value)
        return _filled(
            "".join(piece if isinstance(piece, str) else values[piece] for piece in self._pieces)
        )


def corrected_text(text: str, columns: Sequence[str]) -> str:
    """The text with {Name} for what looks like a place, or is one with a misspelt name."""
    protected = protect(segments.normalise_line_ends(text))
    found = find_lookalikes(protected, columns)
    changes = [(one.start, one.end, one.column) for one in found if not one.escaped]
    for place in PLACEHOLDER.finditer(protected):
        inside = any(start <= place.start() < end for start, end, _column in changes)
        column = nearest(place[1], columns)
        if column and not inside and _index_of(place[1].strip(), columns) is None:
            changes.append((*place.span(), column))
    for start, end, column in sorted(changes, reverse=True):
        protected = f"{protected[:start]}{{{column}}}{protected[end:]}"
    return unprotect(protected)


def _index_of(name: str, columns: Sequence[str]) -> int | None:
    for same in (str.casefold, fold_name):
        for index, column in enumerate(columns):
            if same(column) == same(name):
                return index
    return None


def _filled(text: str) -> FilledText:
    text = clean_text(text)
    counted = segments.count(text)
    return FilledText(text, counted.encoding, counted.segments)


def _value(cells: Cells, index: int) -> str:
    """The cell as one line of visible characters."""
    return clean_value(unwrapped(cells[index])) if index < len(cells) else ""
