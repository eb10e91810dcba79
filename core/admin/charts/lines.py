"""Values over time, a line for each account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from typing import ClassVar, Final

from core.punctuation import label_text

from .bases import WIDTH, Chart, Reach, Series, Threshold, height_from_top, place
from .scales import Number, Scale, fit_scale

MOST_LINES: Final = 4


@dataclass(frozen=True, slots=True)
class Drawn:
    """A line and how it is drawn, here and in the legend."""

    series: Series
    style: str
    path: str
    dots: str


@dataclass(frozen=True, kw_only=True)
class Lines(Chart):
    """At most four lines; what is beyond them is the caller's "others".

    `band` names two lines by place between which the ground is tinted, such as a median and a 95th
    percentile. With `from_zero` False the scale may begin elsewhere, which a sentence then says.
    """

    template: ClassVar[str] = "portal/charts/lines.html"

    threshold: Threshold | None = None
    band: tuple[int, int] | None = None
    from_zero: bool = True
    whole: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.series) > MOST_LINES:
            raise ValueError(f"a chart has at most {MOST_LINES} lines")

    @cached_property
    def scale(self) -> Scale:
        values = [value for one in self.columns for value in one.values]
        if self.threshold:
            values.append(self.threshold.value)
        return fit_scale(values, from_zero=self.from_zero, whole=self.whole)

    @property
    def begins_at(self) -> str:
        """Where the scale begins if that is not zero."""
        return "" if self.scale.low == 0 else self.write(self.scale.low)

    @property
    def threshold_text(self) -> str:
        return (
            str(label_text(self.threshold.name, self.write(self.threshold.value)))
            if self.threshold
            else ""
        )

    @property
    def threshold_y(self) -> str:
        return height_from_top(self.scale, self.threshold.value) if self.threshold else ""

    @property
    def lines(self) -> list[Drawn]:
        """The lines of this period, then the one compared with."""
        lines = [
            self._drawn(one, f"line-{number}") for number, one in enumerate(self.series, start=1)
        ]
        return [*lines, *([self._drawn(self.past, "line-past")] if self.past else [])]

    @property
    def band_path(self) -> str:
        if self.band is None:
            return ""
        first, second = (self.series[number].values for number in self.band)
        known = [
            (
                place(self._x(index)),
                height_from_top(self.scale, one),
                height_from_top(self.scale, two),
            )
            for index, (one, two) in enumerate(zip(first, second, strict=True))
            if one is not None and two is not None
        ]
        there = [f"{x} {y}" for x, y, _ in known]
        back = [f"{x} {y}" for x, _, y in reversed(known)]
        return f"M{'L'.join([*there, *back])}Z" if len(known) > 1 else ""

    @property
    def reaches(self) -> list[Reach]:
        """A column around each point, to the middle between it and the next one."""
        places = [self._x(index) for index in range(len(self.slots))]
        edges = [0.0, *((one + two) / 2 for one, two in pairwise(places)), float(WIDTH)]
        return [
            Reach(self._title(index), slot.url, place(start), place(end - start))
            for index, (slot, (start, end)) in enumerate(
                zip(self.slots, pairwise(edges), strict=True)
            )
        ]

    def _x(self, index: int) -> float:
        at = self.slots[index].at
        if at is None:
            at = index / (len(self.slots) - 1) if len(self.slots) > 1 else 0.5
        return WIDTH * at

    def _drawn(self, series: Series, style: str) -> Drawn:
        """The line is broken where nothing is known; a point without neighbours is a dot."""
        path, dots = "", ""
        for is_known, run in groupby(range(len(series.values)), self._is_known(series)):
            points = [self._point(index, series.values[index]) for index in run] if is_known else []
            if len(points) == 1:
                dots += "M{} {}h0".format(*points[0])
            for number, (x, y) in enumerate(points if len(points) > 1 else ()):
                path += (
                    f"H{x}V{y}" if number and series.is_step else f"{'L' if number else 'M'}{x} {y}"
                )
        return Drawn(series, style, path, dots)

    def _is_known(self, series: Series) -> Callable[[int], bool]:
        return lambda index: series.values[index] is not None

    def _point(self, index: int, value: Number | None) -> tuple[str, str]:
        return place(self._x(index)), height_from_top(self.scale, value or 0)

    def _title(self, index: int) -> str:
        known = [(one.name, one.values[index]) for one in self.columns]
        texts = [
            str(label_text(name, self.write(value))) for name, value in known if value is not None
        ]
        return "\n".join([str(self.slots[index].label), *texts])
