"""Read figures: any period, cut by any columns, in the reader's time zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from django.db.models import F, Q, Sum

from .models import Figure
from .slots import PER_DAY, PER_HOUR, slot_of, spans, start_of, start_of_day

EPOCH: Final = date(1970, 1, 1)


class By(StrEnum):
    HOUR = "hour"
    DAY = "day"
    ACCOUNT = "account_id"
    KIND = "kind"
    COUNTRY = "country"
    PERSON = "person_id"
    BATCH = "batch_id"
    STATE = "state"
    REASON = "reason"
    TOOK = "took"


@dataclass(frozen=True, slots=True)
class Period:
    """Slots from `first` up to, but without, `end`, read in a time zone."""

    first: int
    end: int
    zone: tzinfo

    @classmethod
    def of_days(cls, first: date, last: date, zone: tzinfo) -> Period:
        """The days from `first` to `last`, both included."""
        end = start_of_day(last + timedelta(days=1), zone)
        return cls(slot_of(start_of_day(first, zone)), slot_of(end), zone)

    @classmethod
    def between(cls, start: datetime, end: datetime, zone: tzinfo) -> Period:
        """From the slot of `start` through the slot of `end`."""
        return cls(slot_of(start), slot_of(end) + 1, zone)

    @property
    def start(self) -> datetime:
        return start_of(self.first).astimezone(self.zone)

    @property
    def stop(self) -> datetime:
        return start_of(self.end).astimezone(self.zone)

    def days(self) -> list[date]:
        """The local days that the period touches."""
        first, last = self.start.date(), start_of(self.end - 1).astimezone(self.zone).date()
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def hours(self) -> list[datetime]:
        """The starts, in UTC, of the local hours that the period touches.

        In local time, the two hours that share their name when clocks are set back are equal.
        """
        found = []
        for span in spans(self.first, self.end, self.zone):
            local = range(
                (span.first + span.offset) // PER_HOUR, (span.end - 1 + span.offset) // PER_HOUR + 1
            )
            found += [start_of(hour * PER_HOUR - span.offset) for hour in local]
        return found


@dataclass(slots=True)
class Totals:
    """The sums of `figures.models.Figure` over the rows of one line."""

    count: int = 0
    accepted: int = 0
    succeeded: int = 0
    segments: int = 0
    cost: Decimal = field(default_factory=Decimal)
    unpriced: int = 0

    def add(self, sums: Mapping[str, Any]) -> None:
        for name, amount in sums.items():
            setattr(self, name, getattr(self, name) + amount)

    @property
    def share(self) -> float | None:
        """The part of the accepted ones that succeeded."""
        return self.succeeded / self.accepted if self.accepted else None


SUMS: Final = ("count", "accepted", "succeeded", "segments", "cost", "unpriced")
COUNT: Final = ("count",)
Line = tuple[Any, ...]


def cut(
    period: Period, *by: By, where: Q | None = None, sums: Sequence[str] = SUMS
) -> dict[Line, Totals]:
    """Sum the figures of a period by the given columns.

    A key has one value for each of `by`: the start of an hour in UTC, a date, or the stored value.
    Keys without figures are missing. Only `sums` are added up.
    """
    added = {f"{name}_sum": Sum(name) for name in sums}
    moments: dict[tuple[By, Any, int], Any] = {}
    lines: dict[Line, Totals] = {}
    for span in spans(period.first, period.end, period.zone):
        figures = Figure.objects.filter(slot__gte=span.first, slot__lt=span.end)
        if where is not None:
            figures = figures.filter(where)
        names = []
        for one in by:
            if one in (By.HOUR, By.DAY):
                per = PER_HOUR if one is By.HOUR else PER_DAY
                figures = figures.annotate(**{one: (F("slot") + span.offset) / per})
            names.append(str(one))
        rows: Iterable[tuple[Any, ...]] = figures.order_by().values_list(*names).annotate(**added)
        if not by:
            rows = [tuple(figures.aggregate(**added).values())]
        for row in rows:
            found = dict(zip(sums, row[len(by) :], strict=True))
            if None in found.values():
                continue
            key = tuple(
                _known_key(moments, one, value, span.offset)
                for one, value in zip(by, row, strict=False)
            )
            if key in lines:
                lines[key].add(found)
            else:
                lines[key] = Totals(**found)
    return lines


def total(period: Period, where: Q | None = None) -> Totals:
    return cut(period, where=where).get((), Totals())


def classes_by(period: Period, *by: By, where: Q | None = None) -> dict[Line, dict[int, int]]:
    """How many successes took how long (`figures.durations`), for each line of a cut.

    Lines without a success are missing.
    """
    found: dict[Line, dict[int, int]] = {}
    succeeded = (where or Q()) & Q(took__isnull=False)
    rows = cut(period, *by, By.TOOK, where=succeeded, sums=COUNT)
    for key, line in rows.items():
        found.setdefault(key[:-1], {})[key[-1]] = line.count
    return found


def _known_key(known: dict[tuple[By, Any, int], Any], by: By, value: Any, offset: int) -> Any:
    """Many rows are of the same hour or day, and a time takes longer to make than to look up."""
    if by is not By.HOUR and by is not By.DAY:
        return value
    place = (by, value, offset)
    if place not in known:
        known[place] = _key(by, value, offset)
    return known[place]


def _key(by: By, value: Any, offset: int) -> Any:
    if by is By.HOUR:
        return start_of(value * PER_HOUR - offset)
    if by is By.DAY:
        return EPOCH + timedelta(days=value)
    return value
