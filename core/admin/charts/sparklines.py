"""A line of 88 × 24 px in a table, without axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from .bases import place
from .scales import Number, Scale, fit_scale

WIDTH: Final = 88
HEIGHT: Final = 24
_MARGIN: Final = 2


@dataclass(frozen=True, slots=True)
class Sparkline:
    """None breaks the line. The cell beside it has the figure: the drawing has no words."""

    template: ClassVar[str] = "portal/charts/sparkline.html"

    values: Sequence[Number | None]
    threshold: Number | None = None
    scale: Scale | None = None
    """None fits this line alone."""

    @property
    def is_empty(self) -> bool:
        return all(value is None for value in self.values)

    @property
    def pieces(self) -> list[str]:
        """Paths of the line, one for each run of known values."""
        return [f"M{'L'.join(run)}" if len(run) > 1 else f"M{run[0]}h0" for run in self._runs()]

    @property
    def areas(self) -> list[str]:
        """The ground below the line."""
        ends = [(run, run[0].split()[0], run[-1].split()[0]) for run in self._runs()]
        return [f"M{'L'.join(run)}V{HEIGHT}H{first}Z" for run, first, last in ends if first != last]

    @property
    def threshold_y(self) -> str:
        return "" if self.threshold is None else self._y(self.threshold)

    def _runs(self) -> list[list[str]]:
        runs: list[list[str]] = [[]]
        step = WIDTH / max(len(self.values) - 1, 1)
        for index, value in enumerate(self.values):
            if value is not None:
                runs[-1].append(f"{place(step * index)} {self._y(value)}")
            elif runs[-1]:
                runs.append([])
        return [run for run in runs if run]

    def _y(self, value: Number) -> str:
        scale = self.scale or fit_scale([*self.values, self.threshold])
        room = HEIGHT - 2 * _MARGIN
        return place(_MARGIN + room * (1 - scale.height(value) / 100))


def on_one_scale(lines: Iterable[Sparkline]) -> list[Sparkline]:
    """The same lines as a column in which heights can be compared, as one unit is."""
    lines = list(lines)
    scale = fit_scale(value for one in lines for value in (*one.values, one.threshold))
    return [replace(one, scale=scale) for one in lines]
