"""Rate limits while the database's clock is set: no burst above a limit, and no silence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers import rate_limits
from providers.engine.account_queue import SlidingWindow
from providers.models import Account, Allowance
from tests.factories.accounts import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LIMITS: Any = {"per_second": 10, "per_minute": 100, "in_flight": 5}
LONGEST_SILENCE = 10.0
"""Seconds. Without a step the account's next slot is at most this far, whatever was sent."""


class Clock:
    """A wall clock that can be set, beside the time that really passes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.elapsed, self.offset = 0.0, 1_000_000.0
        real = rate_limits._read

        def read(account: Account) -> tuple[float, rate_limits.State]:
            monkeypatch.setattr(rate_limits, "sql_now", lambda: repr(self.elapsed + self.offset))
            return real(account)

        monkeypatch.setattr(rate_limits, "_read", read)


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    moves=st.lists(
        st.tuples(
            st.floats(0, 5),
            st.sampled_from([0.0, 0.0, 0.0, -1.0, 1.0, -90.0, 90.0, -3600.0, 3600.0, -86_400.0]),
        ),
        min_size=20,
        max_size=60,
    )
)
def test_no_window_holds_more_calls_than_its_limit_whatever_the_clock_does(
    moves: list[tuple[float, float]],
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        clock = Clock(monkeypatch)
        account = make_account(**LIMITS)
        guard = SlidingWindow(account.per_second, account.per_minute)
        left: list[float] = []
        for pause, step in moves:
            clock.elapsed += pause
            clock.offset += step
            for _ in range(4):
                waits = rate_limits.reserve(account)
                # A call leaves at its slot, by the monotonic clock, and not before the guard.
                clock.elapsed += waits[0]
                clock.elapsed += max(0.0, guard.wait_for_next(clock.elapsed))
                guard.record(clock.elapsed)
                left.append(clock.elapsed)

    for length, limit in ((1.0, account.per_second), (60.0, account.per_minute)):
        for first, last in zip(left, left[limit:], strict=False):
            assert last - first >= length


@pytest.mark.parametrize("step", [-3600.0, -86_400.0, 3600.0, 86_400.0])
def test_account_is_not_mute_after_a_step(monkeypatch: pytest.MonkeyPatch, step: float) -> None:
    clock = Clock(monkeypatch)
    account = make_account(**LIMITS)
    for _ in range(20):
        clock.elapsed += rate_limits.reserve(account)[0]
    clock.offset += step
    assert rate_limits.reserve(account)[0] < LONGEST_SILENCE
    clock.elapsed += LONGEST_SILENCE
    assert rate_limits.reserve(account)[0] < LONGEST_SILENCE


@pytest.mark.parametrize("step", [-3600.0, -86_400.0])
def test_request_to_slow_down_outlasts_a_step_by_its_longest_time_only(
    monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    clock = Clock(monkeypatch)
    account = make_account(**LIMITS)
    rate_limits.reserve(account)
    rate_limits.slow_down(account, 60.0)
    clock.offset += step
    first = rate_limits.reserve(account)[0]
    assert 60.0 <= first <= rate_limits.MAX_SLOWDOWN + 1
    clock.elapsed += first
    assert rate_limits.reserve(account)[0] < LONGEST_SILENCE


def test_slots_that_many_calls_reserved_ahead_are_kept() -> None:
    account = make_account(per_second=10, per_minute=10, in_flight=5)
    waits = [rate_limits.reserve(account)[0] for _ in range(15)]
    assert waits[-1] > 80
    assert rate_limits.reserve(account)[0] > waits[-1]
    assert Allowance.objects.get(account=account).minute_free_at > 0
