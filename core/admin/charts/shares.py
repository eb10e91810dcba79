"""Shares of a whole as horizontal bars, one for each account or reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from .bases import Role, Word, place


@dataclass(frozen=True, slots=True)
class Share:
    """`share` and `past` are parts of 1; `figure` is how `share` is written, such as 92%."""

    name: Word
    share: float
    figure: str
    note: Word = ""
    url: str = ""
    past: float | None = None
    """The period compared with: a tick on the bar."""
    is_data: bool = False

    @property
    def width(self) -> str:
        return f"{place(min(max(self.share, 0), 1) * 100)}%"

    @property
    def past_x(self) -> str:
        return "" if self.past is None else f"{place(min(max(self.past, 0), 1) * 100)}%"


@dataclass(frozen=True, slots=True)
class Shares:
    """A list that says everything in words, so it needs no table. `past_word` explains the tick."""

    template: ClassVar[str] = "portal/charts/shares.html"

    title: Word
    shares: Sequence[Share]
    role: Role | Literal["a"] = "a"
    past_word: Word = ""

    @property
    def is_empty(self) -> bool:
        return not self.shares
