"""Quarters of an hour, by which the roll-up is kept.

Every time zone in use today differs from UTC by a multiple of 15 minutes, so an hour and a day of
every reader consist of whole slots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

SECONDS: Final = 900
PER_HOUR: Final = 4
PER_DAY: Final = 96


def slot_of(moment: datetime) -> int:
    """The slot that contains the moment, counted from 1970 in UTC."""
    return int(moment.timestamp() // SECONDS)


def start_of(slot: int) -> datetime:
    return datetime.fromtimestamp(slot * SECONDS, UTC)


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """The first moment of the day. Where midnight is skipped, the moment after the gap."""
    midnight = datetime.combine(day, time.min, zone)
    return midnight.astimezone(UTC).astimezone(zone)


@dataclass(frozen=True, slots=True)
class Span:
    """Slots from `first` up to, but without, `end`, over which the zone has one offset."""

    first: int
    end: int
    offset: int
    """Slots that local time is ahead of UTC."""


def spans(first: int, end: int, zone: tzinfo) -> Iterator[Span]:
    """Divide slots where the zone's offset changes."""
    start = first
    while start < end:
        offset = _offset(start, zone)
        # The offset changes at most once in a day, so one look a day finds each change.
        same, other = start, min(start + PER_DAY, end) - 1
        while _offset(other, zone) == offset and other < end - 1:
            same, other = other, min(other + PER_DAY, end - 1)
        changes = _offset(other, zone) != offset
        stop = _first_change(same, other, offset, zone) if changes else end
        yield Span(start, stop, offset)
        start = stop


def _first_change(same: int, other: int, offset: int, zone: tzinfo) -> int:
    """The first slot without the offset, by bisection: `same` has it, `other` does not."""
    while other - same > 1:
        middle = (same + other) // 2
        if _offset(middle, zone) == offset:
            same = middle
        else:
            other = middle
    return other


def _offset(slot: int, zone: tzinfo) -> int:
    offset = start_of(slot).astimezone(zone).utcoffset() or timedelta()
    return round(offset.total_seconds()) // SECONDS
