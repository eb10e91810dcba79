"""Counts by state, a bar for each slot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

from core.punctuation import label_text

from .bases import WIDTH, Chart, Reach, Role, height_from_top, place, total
from .scales import Number, Scale, fit_scale

STACK: Final[tuple[Role, ...]] = ("good", "wait", "plain", "bad", "warn")
"""From the bottom: confirmed, under way, final without a verdict, failed, unknown."""
BAR_SHARE: Final = 0.78
"""Share of a slot that its bar takes."""
WIDEST: Final = 120.0
THINNEST: Final = 0.35
"""Height of a part that is not zero, in percent, so that one message in a thousand is seen."""
GAP: Final = 0.4
LEAST_RUNNING: Final = 0.2


@dataclass(frozen=True, slots=True)
class Part:
    role: Role
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Bar:
    reach: Reach
    x: str
    width: str
    parts: list[Part]


@dataclass(frozen=True, kw_only=True)
class StackedBars(Chart):
    """Series are sorted by role, so that every stack and every legend has the same order.

    `running` is the share of the last known slot that has passed: its bar is that wide. Raises
    `ValueError` for negative counts, and for series without a role or with the same one.
    """

    template: ClassVar[str] = "portal/charts/stacked_bars.html"

    running: float = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        by_role = {one.role: one for one in self.series}
        if None in by_role or len(by_role) != len(self.series):
            raise ValueError("each series has a role of its own")
        if any(value is not None and value < 0 for one in self.columns for value in one.values):
            raise ValueError("a bar has no negative parts")
        ordered = tuple(by_role[role] for role in STACK if role in by_role)
        object.__setattr__(self, "series", ordered)

    @property
    def has_totals(self) -> bool:
        return len(self.series) > 1

    @cached_property
    def totals(self) -> list[Number | None]:
        return [
            total([one.values[index] for one in self.series]) for index in range(len(self.slots))
        ]

    @cached_property
    def scale(self) -> Scale:
        return fit_scale([*self.totals, *(self.past.values if self.past else ())], whole=True)

    @property
    def bars(self) -> list[Bar]:
        known = [index for index, one in enumerate(self.totals) if one is not None]
        return [self._bar(index, self.running if index == known[-1] else 1) for index in known]

    def _bar(self, index: int, passed: float) -> Bar:
        slot, room = self.slots[index], WIDTH / len(self.slots)
        whole = min(room * BAR_SHARE, WIDEST)
        title = label_text(slot.label, self.write(self.totals[index] or 0))
        return Bar(
            Reach(str(title), slot.url, place(room * index), place(room)),
            place(room * index + (room - whole) / 2),
            place(whole * max(min(passed, 1), LEAST_RUNNING)),
            self._parts(index),
        )

    def _parts(self, index: int) -> list[Part]:
        parts: list[Part] = []
        bottom = 0.0
        for one in self.series:
            value = one.values[index]
            if not value or not one.role:
                continue
            height = max(self.scale.height(value), THINNEST + GAP)
            parts.append(Part(one.role, place(100 - bottom - height + GAP), place(height - GAP)))
            bottom += height
        return parts

    @property
    def past_path(self) -> str:
        """A step line: the outline of the other period's bars."""
        room, path, is_drawing = WIDTH / max(len(self.slots), 1), "", False
        for index, value in enumerate(self.past.values if self.past else ()):
            if value is not None:
                y = height_from_top(self.scale, value)
                path += f"V{y}" if is_drawing else f"M{place(room * index)} {y}"
                path += f"H{place(room * (index + 1))}"
            is_drawing = value is not None
        return path
