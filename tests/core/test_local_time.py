"""Local times that do not exist or occur twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core.local_time import earliest_moment, latest_moment, missing_time_text, moments_at, skip_at

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago")


@pytest.fixture(autouse=True)
def _berlin() -> Iterator[None]:
    with timezone.override("Europe/Berlin"):
        yield


def naive(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def test_usual_time_is_one_moment() -> None:
    assert moments_at(naive(2027, 7, 1, 2, 30)) == [utc(2027, 7, 1, 0, 30)]


@pytest.mark.parametrize("minute", [0, 30, 59])
def test_time_that_clocks_skip_does_not_exist(minute: int) -> None:
    local = naive(2027, 3, 28, 2, minute)
    assert moments_at(local) == []
    assert skip_at(local) == (naive(2027, 3, 28, 2), naive(2027, 3, 28, 3))
    assert missing_time_text(local) == (
        "This time does not exist on that day: clocks are set forward from 02:00 to 03:00."
    )


@pytest.mark.parametrize("local", [naive(2027, 3, 28, 1, 59), naive(2027, 3, 28, 3, 0)])
def test_times_around_the_skip_exist(local: datetime) -> None:
    assert len(moments_at(local)) == 1


def test_time_after_clocks_are_set_back_occurs_twice() -> None:
    moments = moments_at(naive(2027, 10, 31, 2, 30))
    assert moments == [utc(2027, 10, 31, 0, 30), utc(2027, 10, 31, 1, 30)]


def test_period_includes_both_and_begins_where_clocks_skip() -> None:
    twice, missing = naive(2027, 10, 31, 2, 30), naive(2027, 3, 28, 2, 30)
    assert earliest_moment(twice) == utc(2027, 10, 31, 0, 30)
    assert latest_moment(twice) == utc(2027, 10, 31, 1, 30)
    assert earliest_moment(missing) == latest_moment(missing) == utc(2027, 3, 28, 1)


@given(
    st.datetimes(min_value=naive(2020, 1, 1), max_value=naive(2035, 1, 1)),
    st.sampled_from(ZONES),
)
def test_each_moment_is_shown_as_the_time_it_was_found_by(local: datetime, zone: str) -> None:
    with timezone.override(zone):
        moments = moments_at(local)
        assert len(moments) <= 2
        for moment in moments:
            assert moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == local
        assert earliest_moment(local) <= latest_moment(local)
        if not moments:
            before, after = skip_at(local)
            assert before <= local < after
            assert len(moments_at(before - timedelta(minutes=1))) == 1
            assert len(moments_at(after)) == 1


@pytest.mark.parametrize("local", [datetime.min, datetime.max])  # noqa: DTZ901
def test_first_and_last_time_of_the_calendar_are_found(local: datetime) -> None:
    assert len(moments_at(local)) == 1
