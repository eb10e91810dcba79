"""Timeline entries are in the order of events."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from core.admin.timeline import TimelineEntry, sort_entries
from core.people import person_name

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


def test_provider_time_in_whole_seconds_shows_no_hundredths() -> None:
    stated = TimelineEntry("stated", NOON, is_provider_time=True).shown_time
    assert ".00" not in stated
    assert re.search(r"\d\d:00:00<", stated)


def test_other_times_show_hundredths() -> None:
    moment = NOON + timedelta(milliseconds=120)
    assert ".12<" in TimelineEntry("stated", moment, is_provider_time=True).shown_time
    assert ".00<" in TimelineEntry("ours", NOON).shown_time
    assert TimelineEntry("future").shown_time == ""


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 999)), max_size=12))
def test_shown_times_never_go_backwards(entries: list[tuple[bool, int, int]]) -> None:
    lines = [
        TimelineEntry(
            str(number),
            NOON + timedelta(seconds=second, milliseconds=0 if stated else fraction),
            is_provider_time=stated,
        )
        for number, (stated, second, fraction) in enumerate(entries)
    ]
    found = sort_entries(lines)
    assert sorted(found, key=lambda line: line.text) == sorted(lines, key=lambda line: line.text)
    seconds = [line.at.replace(microsecond=0) for line in found if line.at]
    assert seconds == sorted(seconds)
    for before, after in pairwise(found):
        if before.is_provider_time and not after.is_provider_time:
            assert before.at is not None
            assert after.at is not None
            assert before.at.replace(microsecond=0) < after.at.replace(microsecond=0)


def test_entries_of_the_same_time_keep_their_order() -> None:
    assert texts(TimelineEntry("b", NOON), TimelineEntry("a", NOON)) == ["b", "a"]


def test_person_name_is_the_full_name_if_known() -> None:
    assert person_name(User(username="ada", first_name="Ada", last_name="L")) == "Ada L"
    assert person_name(User(username="ada")) == "ada"
    assert person_name(None) == "the portal"
