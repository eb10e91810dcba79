"""No window ever holds more than its cap, wherever it begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.caps.windows import Spent, Window, window_of

START = datetime(2026, 3, 2, 4, 7, 31, tzinfo=UTC)


@pytest.mark.parametrize("window", list(Window))
@settings(max_examples=40)
@given(
    most=st.integers(0, 5),
    pauses=st.lists(st.floats(0, 0.6), min_size=1, max_size=30),
    offset=st.floats(0, 1),
)
def test_no_window_holds_more_than_the_cap(
    window: Window, most: int, pauses: list[float], offset: float
) -> None:
    spent: Spent = {}
    taken: list[datetime] = []
    now = START + timedelta(seconds=offset * window.slot)
    with time_machine.travel(now, tick=False) as clock:
        for pause in pauses:
            now += timedelta(seconds=pause * window.seconds)
            clock.move_to(now)
            spent = window.unexpired(spent)
            if sum(spent.values()) + 1 <= most:
                window.add(spent, 1)
                taken.append(now)
    span = timedelta(seconds=window.seconds)
    for first in taken:
        assert sum(first <= one <= first + span for one in taken) <= most


@pytest.mark.parametrize("window", list(Window))
def test_usage_is_free_when_it_was_said_to_be(window: Window) -> None:
    spent: Spent = {}
    with time_machine.travel(START, tick=False) as clock:
        window.add(spent, 1)
        free_at = window.free_at(spent)
        late = timedelta(seconds=window.seconds + window.slot)
        assert timedelta(seconds=window.seconds) < free_at - START <= late
        clock.move_to(free_at - timedelta(milliseconds=1))
        assert window.used(spent) == 1
        clock.move_to(free_at)
        assert window.used(spent) == 0


def test_stored_scope_names_its_window() -> None:
    assert {window: window_of(window.stored("number")) for window in Window} == {
        window: window for window in Window
    }
    # Rows of the first version are those of a day.
    assert Window.DAY.stored("number") == "number"
