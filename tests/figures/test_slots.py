"""Quarters of an hour, and where a time zone changes its offset."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figures.cuts import Period
from figures.slots import slot_of, spans, start_of

ZONES = (
    "UTC",
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Pacific/Apia",
)


@given(
    zone=st.sampled_from(ZONES),
    first=st.integers(min_value=slot_of(datetime(2011, 1, 1, tzinfo=UTC)), max_value=2_000_000),
    length=st.integers(min_value=1, max_value=40_000),
)
def test_every_slot_is_in_one_span_with_its_own_offset(zone: str, first: int, length: int) -> None:
    name = ZoneInfo(zone)
    found = list(spans(first, first + length, name))

    assert [span.first for span in found[1:]] == [span.end for span in found[:-1]]
    assert (found[0].first, found[-1].end) == (first, first + length)
    for span in found:
        for slot in {span.first, (span.first + span.end) // 2, span.end - 1}:
            local = start_of(slot).astimezone(name)
            assert local.utcoffset() is not None
            assert local.utcoffset().total_seconds() == span.offset * 900  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 3, 29), 23),
        (date(2026, 10, 25), 25),
        (date(2026, 7, 1), 24),
    ],
)
def test_day_has_as_many_hours_as_its_clock(day: date, hours: int) -> None:
    period = Period.of_days(day, day, ZoneInfo("Europe/Berlin"))

    assert len(period.hours()) == hours
    assert len(set(period.hours())) == hours
    assert period.days() == [day]


def test_hour_that_occurs_twice_is_two_hours() -> None:
    period = Period.of_days(date(2026, 10, 25), date(2026, 10, 25), ZoneInfo("Europe/Berlin"))

    local = [hour.astimezone(period.zone).hour for hour in period.hours()]
    assert local[:5] == [0, 1, 2, 2, 3]


def test_day_whose_midnight_is_skipped_begins_after_the_gap() -> None:
    # In Beirut the clocks went from 23:59:59 to 01:00.
    period = Period.of_days(date(2025, 3, 30), date(2025, 3, 30), ZoneInfo("Asia/Beirut"))

    assert period.start.hour == 1
    assert len(period.hours()) == 23
