"""The queue of one account: when its next call may start."""

from __future__ import annotations

from providers.engine.account_queue import SlidingWindow


def test_window_allows_for_a_call_arriving_a_tenth_of_a_second_late() -> None:
    departures = SlidingWindow(per_second=10, per_minute=300)
    for _ in range(10):
        departures.record(100.0)
    assert departures.wait_for_next(101.05) > 0
    assert departures.wait_for_next(101.11) <= 0


def test_minute_window_is_kept_too() -> None:
    departures = SlidingWindow(per_second=1000, per_minute=3)
    for at in (100.0, 110.0, 120.0):
        departures.record(at)
    assert 39.8 < departures.wait_for_next(120.2) < 40.0
