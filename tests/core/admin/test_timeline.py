"""Entries of a timeline are in the order in which things happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User

from core.admin.timeline import TimelineEntry, person_name, sort_entries

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def texts(*entries: TimelineEntry) -> list[str]:
    return [entry.text for entry in sort_entries(entries)]


def test_entries_are_sorted_by_time_and_what_is_to_come_is_last() -> None:
    later = TimelineEntry("later", NOON + timedelta(seconds=1))
    assert texts(TimelineEntry("to come"), later, TimelineEntry("noon", NOON)) == [
        "noon",
        "later",
        "to come",
    ]


def test_a_time_stated_in_whole_seconds_comes_after_what_is_known_within_that_second() -> None:
    stated = TimelineEntry("stated", NOON, is_provider_time=True)
    ours = TimelineEntry("ours", NOON + timedelta(milliseconds=900))
    assert texts(stated, ours) == ["ours", "stated"]


def test_a_stated_time_with_a_fraction_is_taken_as_it_is() -> None:
    stated = TimelineEntry("stated", NOON + timedelta(milliseconds=100), is_provider_time=True)
    ours = TimelineEntry("ours", NOON + timedelta(milliseconds=900))
    assert texts(ours, stated) == ["stated", "ours"]


def test_entries_of_the_same_moment_keep_their_order() -> None:
    assert texts(TimelineEntry("b", NOON), TimelineEntry("a", NOON)) == ["b", "a"]


def test_a_person_is_named_in_full_where_a_name_is_known() -> None:
    assert person_name(User(username="ada", first_name="Ada", last_name="L")) == "Ada L"
    assert person_name(User(username="ada")) == "ada"
    assert person_name(None) == "the portal"
