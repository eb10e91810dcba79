"""Timeline entries are in the order of events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User

from core.admin.timeline import TimelineEntry, person_name, sort_entries

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def texts(*entries: TimelineEntry) -> list[str]:
    return [entry.text for entry in sort_entries(entries)]


def test_entries_are_sorted_by_time_with_future_ones_last() -> None:
    later = TimelineEntry("later", NOON + timedelta(seconds=1))
    assert texts(TimelineEntry("future"), later, TimelineEntry("noon", NOON)) == [
        "noon",
        "later",
        "future",
    ]


def test_provider_time_in_whole_seconds_sorts_after_own_times_of_that_second() -> None:
    stated = TimelineEntry("stated", NOON, is_provider_time=True)
    ours = TimelineEntry("ours", NOON + timedelta(milliseconds=900))
    assert texts(stated, ours) == ["ours", "stated"]


def test_provider_time_with_a_fraction_sorts_as_stated() -> None:
    stated = TimelineEntry("stated", NOON + timedelta(milliseconds=100), is_provider_time=True)
    ours = TimelineEntry("ours", NOON + timedelta(milliseconds=900))
    assert texts(ours, stated) == ["stated", "ours"]


def test_entries_of_the_same_time_keep_their_order() -> None:
    assert texts(TimelineEntry("b", NOON), TimelineEntry("a", NOON)) == ["b", "a"]


def test_person_name_is_the_full_name_if_known() -> None:
    assert person_name(User(username="ada", first_name="Ada", last_name="L")) == "Ada L"
    assert person_name(User(username="ada")) == "ada"
    assert person_name(None) == "the portal"
