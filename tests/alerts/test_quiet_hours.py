from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from alerts.quiet_hours import end_of_quiet, is_quiet


@pytest.mark.parametrize(
    ("start", "end", "hour", "quiet"),
    [
        ("22:00", "07:00", "21:59", False),
        ("22:00", "07:00", "22:00", True),
        ("22:00", "07:00", "00:00", True),
        ("22:00", "07:00", "06:59", True),
        ("22:00", "07:00", "07:00", False),
        ("12:00", "13:00", "12:30", True),
        ("12:00", "13:00", "13:00", False),
        ("07:00", "07:00", "07:00", False),
    ],
)
def test_hours_may_pass_midnight(start: str, end: str, hour: str, quiet: bool) -> None:
    moment = datetime.fromisoformat(f"2026-03-01T{hour}:00+00:00")
    assert is_quiet(time.fromisoformat(start), time.fromisoformat(end), moment, UTC) is quiet


def test_without_both_times_nothing_is_quiet() -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    assert not is_quiet(None, None, moment, UTC)
    assert not is_quiet(time(0), None, moment, UTC)


def test_clock_is_that_of_the_zone_when_clocks_change() -> None:
    """In Berlin, 29 March 2026 has no 02:30; 00:59 UTC shows 01:59 and 01:00 UTC shows 03:00."""
    berlin = ZoneInfo("Europe/Berlin")
    hours = time(2), time(3)
    assert not is_quiet(*hours, datetime(2026, 3, 29, 0, 59, tzinfo=UTC), berlin)
    assert not is_quiet(*hours, datetime(2026, 3, 29, 1, 0, tzinfo=UTC), berlin)


@pytest.mark.parametrize(
    ("moment", "end"),
    [("25T00:10", "25T00:30"), ("25T01:10", "25T01:30"), ("24T20:30", "25T00:30")],
)
def test_quiet_hours_end_later_than_now_when_clocks_are_set_back(moment: str, end: str) -> None:
    """In Berlin, 25 October 2026 has 02:10 at 00:10 UTC, and again at 01:10 UTC."""
    now, expected = (datetime.fromisoformat(f"2026-10-{one}:00+00:00") for one in (moment, end))
    assert end_of_quiet(time(22), time(2, 30), now, ZoneInfo("Europe/Berlin")) == expected


def test_zone_may_differ_from_full_hours() -> None:
    """Kathmandu is 5:45 ahead of UTC, so 16:15 UTC shows 22:00."""
    kathmandu, hours = ZoneInfo("Asia/Kathmandu"), (time(22), time(7))
    assert not is_quiet(*hours, datetime(2026, 3, 1, 16, 14, tzinfo=UTC), kathmandu)
    assert is_quiet(*hours, datetime(2026, 3, 1, 16, 15, tzinfo=UTC), kathmandu)
    begun = datetime(2026, 3, 1, 16, 15, tzinfo=UTC)
    assert end_of_quiet(*hours, begun, kathmandu) == datetime(2026, 3, 2, 1, 15, tzinfo=UTC)
