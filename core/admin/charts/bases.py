"""What all charts have: slots, series, the scale, the words of the axes and the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import ClassVar, Final, Literal, TypeAlias

from django.utils.functional import Promise

from .scales import Number, Scale

Word: TypeAlias = str | Promise
Role: TypeAlias = Literal["good", "wait", "plain", "bad", "warn"]

WIDTH: Final = 1000
"""Units of a drawing. It is stretched to the page; its height is 100 units."""


def grouped(value: Number) -> str:
    """1234567.50 as 1,234,567.5"""
    text = f"{value:,}" if isinstance(value, int) else f"{Decimal(str(value)):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def place(number: float) -> str:
    """A coordinate. A text, since numbers in templates follow the language."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def height_from_top(scale: Scale, value: Number) -> str:
    return place(100 - scale.height(value))


@dataclass(frozen=True, slots=True)
class Slot:
    label: Word
    """With its limits, such as 09:00–09:59."""
    url: str = ""
    """The rows that were counted here."""
    at: float | None = None
    """Place of a line's point, from 0 to 1. None spreads the points evenly."""


@dataclass(frozen=True, slots=True)
class Series:
    name: Word
    values: Sequence[Number | None]
    role: Role | None = None
    """What a layer of a stack means. Lines have none: they differ by dash and colour."""
    is_data: bool = False
    """The name is an account's or a person's, which browsers must not translate."""
    is_step: bool = False
    """The line keeps a value until the next one, as balances do."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A word below the drawing, `at` 0 to 1 of its width."""

    at: float
    text: Word
    is_wide_only: bool = False

    @property
    def x(self) -> str:
        return f"{place(self.at * 100)}%"

    @property
    def anchor(self) -> str:
        return "start" if self.at <= 0.01 else "end" if self.at >= 0.99 else "middle"


@dataclass(frozen=True, slots=True)
class Threshold:
    name: Word
    value: Number


def even_ticks(words: Sequence[Word], *, most: int = 9, below_bars: bool = False) -> list[Tick]:
    """Ticks for words that stand at equal distances, thinned out to what can be read: from edge
    to edge, or each below the middle of its bar.

    On phones each second one is left out.
    """
    if len(words) < 2:
        return [Tick(0.5 if below_bars else 0, word) for word in words]
    stride = -(-(len(words) - 1) // (most - 1))
    return [
        Tick(
            (index + 0.5) / len(words) if below_bars else index / (len(words) - 1),
            words[index],
            is_wide_only=bool(index // stride % 2),
        )
        for index in range(0, len(words), stride)
    ]


@dataclass(frozen=True, slots=True)
class Reach:
    """A column that answers to the pointer: more than its bar or point."""

    title: str
    url: str
    x: str
    width: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """`slot_word` heads the first column of the table; `note` is a sentence below the legend.

    Raises `ValueError` for a series that has not one value for each slot.
    """

    template: ClassVar[str]

    title: Word
    slot_word: Word
    slots: Sequence[Slot]
    series: Sequence[Series]
    past: Series | None = None
    """The period compared with, slot by slot: a dashed grey line."""
    ticks: Sequence[Tick] = ()
    note: Word = ""
    height: Literal["low", "normal", "high"] = "normal"
    write: Callable[[Number], str] = grouped
    """Writes a value on the axis and in the table."""

    def __post_init__(self) -> None:
        for one in self.columns:
            if len(one.values) != len(self.slots):
                raise ValueError(f"{len(one.values)} values for {len(self.slots)} slots")

    @property
    def columns(self) -> list[Series]:
        return [*self.series, *([self.past] if self.past else [])]

    @property
    def has_totals(self) -> bool:
        return False

    @cached_property
    def is_empty(self) -> bool:
        return all(value is None for one in self.columns for value in one.values)

    @cached_property
    def scale(self) -> Scale:
        raise NotImplementedError

    @property
    def axis(self) -> list[str]:
        return [self.write(value) for value in self.scale.ticks]

    @property
    def grid(self) -> list[str]:
        return [height_from_top(self.scale, value) for value in self.scale.ticks]

    @property
    def rows(self) -> list[tuple[Slot, list[str]]]:
        """The table: a slot and its cells. What is not known is an empty cell."""
        return [(slot, self._cells(index)) for index, slot in enumerate(self.slots)]

    def _cells(self, index: int) -> list[str]:
        values = [one.values[index] for one in self.series]
        if self.has_totals:
            values.append(total(values))
        if self.past:
            values.append(self.past.values[index])
        return ["" if value is None else self.write(value) for value in values]


def total(values: Sequence[Number | None]) -> Number | None:
    """None if nothing is known."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    if all(isinstance(value, int) for value in known):
        return sum(known)
    return sum((Decimal(str(value)) for value in known), Decimal(0))
