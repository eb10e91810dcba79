"""Parts of one whole in a row; what is left is the track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from .bases import WIDTH, Role, place


@dataclass(frozen=True, slots=True)
class MeterPart:
    role: Role
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Meter:
    """Counts by role, in this order, of `whole`. It has no words: those beside it say the same.

    More than the whole fills it. A whole of 0 is an empty track.
    """

    template: ClassVar[str] = "portal/charts/meter.html"

    counts: Sequence[tuple[Role, int]]
    whole: int

    @property
    def parts(self) -> list[MeterPart]:
        found, start = [], 0.0
        scale = WIDTH / max(self.whole, sum(count for _, count in self.counts), 1)
        for role, count in self.counts:
            if count > 0:
                found.append(MeterPart(role, place(start), place(count * scale)))
                start += count * scale
        return found
