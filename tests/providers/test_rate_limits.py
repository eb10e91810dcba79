"""Rate limits of an account: no window ever exceeds its limit, whatever is requested."""

from __future__ import annotations

import random
from itertools import chain

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers import rate_limits
from providers.clock import database_now
from providers.models import Account, Allowance
from providers.rate_limits import Window
from tests.factories.accounts import make_account
from tests.support.threads import at_once

ROUNDING = 1e-6


def max_in_window(slots: list[float], seconds: float) -> int:
    """The highest number of slots in any `seconds` long window."""
    most = first = 0
    for last, slot in enumerate(slots):
        while slots[first] <= slot - seconds + ROUNDING:
            first += 1
        most = max(most, last - first + 1)
    return most


def simulate(per_second: int, per_minute: int, requests: list[tuple[float, int]]) -> list[float]:
    """The slots for requests given as (seconds since the previous one, number of slots)."""
    windows = rate_limits.windows_of(Account(per_second=per_second, per_minute=per_minute))
    now, state, slots = 1_000_000.0, (0.0, 0.0, 0.0), []
    for pause, wanted in requests:
        now += pause
        new, state = rate_limits._next_slots(state, now, wanted, *windows)
        slots += new
    return slots


REQUESTS = st.lists(st.tuples(st.floats(0, 90), st.integers(1, 40)), min_size=1, max_size=40)


@given(st.integers(1, 50), st.integers(1, 900), REQUESTS)
@example(10, 300, [(0.0, 900)])
@example(1, 1, [(0.0, 5)])
@example(3, 180, [(0.0, 400)])
@example(10, 300, [(0.0, 5), (59.9, 300), (0.1, 300)])
def test_no_second_or_minute_exceeds_its_limit(
    per_second: int, per_minute: int, requests: list[tuple[float, int]]
) -> None:
    slots = simulate(per_second, per_minute, requests)
    assert max_in_window(slots, 1) <= per_second
    assert max_in_window(slots, 60) <= per_minute


def test_limit_of_ten_thousand_per_second_holds() -> None:
    slots = simulate(10_000, 600_000, [(0.0, 25_000)])
    assert max_in_window(slots, 1) <= 10_000


@given(st.integers(1, 50), st.integers(1, 900), REQUESTS)
def test_slots_are_assigned_in_order(
    per_second: int, per_minute: int, requests: list[tuple[float, int]]
) -> None:
    slots = simulate(per_second, per_minute, requests)

    assert slots == sorted(slots)


@pytest.mark.parametrize(
    ("per_second", "per_minute", "least"), [(10, 300, 290), (10_000, 1_200, 1_150), (1, 60, 55)]
)
def test_most_of_the_minute_limit_is_usable(per_second: int, per_minute: int, least: int) -> None:
    slots = simulate(per_second, per_minute, [(0.0, per_minute * 2)])
    assert max_in_window(slots, 60) >= least


def test_burst_after_a_pause_has_no_wait() -> None:
    assert simulate(10, 300, [(0.0, 2)]) == [1_000_000.0] * 2


@given(st.integers(1, 10_000))
def test_burst_plus_rate_stays_within_the_limit(limit: int) -> None:
    window = Window.of(limit, 1.0, 5)
    assert window.burst + 1.0 / window.spacing <= limit + 1
    assert window.burst >= 1


def test_burst_is_a_fifth_of_a_second_and_a_sixtieth_of_a_minute() -> None:
    second, minute = rate_limits.windows_of(Account(per_second=100, per_minute=3540))
    assert (second.burst, minute.burst) == (20, 59)
    assert second.spacing == pytest.approx(1.01 / 80)
    assert minute.spacing == pytest.approx(60 * 1.01 / (3540 - 59))


def test_slot_at_the_very_end_of_the_time_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "_read", lambda account: (1000.0, (0.0, 0.0, 1001.5)))
    account = Account(per_second=1, per_minute=60)
    assert rate_limits.forecast_slots(account, 1, within=1.5).in_time == 1
    forecast = rate_limits.forecast_slots(account, 1, within=1.4)
    assert (forecast.in_time, forecast.next_wait) == (0, 1.5)


# --- the shared row ----------------------------------------------------------


@pytest.mark.django_db
def test_forecast_takes_no_slots() -> None:
    account = make_account(per_second=10, per_minute=300)
    before = Allowance.objects.values().get(account=account)
    assert rate_limits.forecast_slots(account, 5, within=1.0).in_time == 5
    assert Allowance.objects.values().get(account=account) == before


@pytest.mark.django_db
def test_forecast_counts_slots_and_the_wait_for_the_next() -> None:
    forecast = rate_limits.forecast_slots(make_account(per_second=1, per_minute=60), 5, within=1.5)
    assert forecast.in_time == 2
    assert 1.5 < forecast.next_wait < 2.5


@pytest.mark.django_db
def test_forecast_slots_are_taken_if_unchanged() -> None:
    account = make_account(per_second=1, per_minute=60)
    forecast = rate_limits.forecast_slots(account, 1, within=1.0)
    assert rate_limits.take(account, forecast, 1) == [0]


@pytest.mark.django_db
def test_slots_taken_since_the_forecast_are_not_taken_again() -> None:
    account = make_account(per_second=1, per_minute=60)
    forecast = rate_limits.forecast_slots(account, 1, within=1.0)
    rate_limits.reserve(account)
    (wait,) = rate_limits.take(account, forecast, 1)
    assert wait > 0.5


@pytest.mark.django_db
def test_reserved_slot_is_not_assigned_again() -> None:
    account = make_account(per_second=1, per_minute=60)
    (first,), (second,) = rate_limits.reserve(account), rate_limits.reserve(account)
    assert first == 0
    assert second > 0.5


@pytest.mark.django_db
def test_missing_allowance_is_created() -> None:
    account = make_account()
    Allowance.objects.all().delete()
    assert rate_limits.reserve(account, 2) == [0, 0]
    assert Allowance.objects.filter(account=account).exists()


@pytest.mark.django_db(transaction=True)
def test_concurrent_reservations_get_distinct_slots() -> None:
    account = make_account(per_second=10, per_minute=300)
    began = database_now()

    def reserve() -> list[float]:
        found = []
        for _ in range(5):
            now = database_now()
            found += [now + wait for wait in rate_limits.reserve(account, 3)]
        return found

    slots = sorted(chain.from_iterable(at_once(reserve, 4)))

    allowance = Allowance.objects.get(account=account)
    second, _ = rate_limits.windows_of(account)
    assert len(slots) == 60
    # The shared row advanced by sixty slots, so none was assigned twice.
    assert allowance.second_free_at >= began + 60 * second.spacing


# --- slowing down ------------------------------------------------------------


@pytest.mark.django_db
class TestSlowDown:
    def test_whole_account_waits(self) -> None:
        account = make_account()
        assert rate_limits.slow_down(account, 7) == 7
        (wait,) = rate_limits.reserve(account)
        assert 6 < wait <= 7

    def test_delay_grows_for_each_account_separately(self) -> None:
        other, slowed = make_account(), make_account()
        for _ in range(3):
            rate_limits.slow_down(slowed, 5)
        assert rate_limits.slow_down(other, 5) == 5
        rate_limits.record_answer(other)
        assert rate_limits.slow_down(slowed, 5) == 40

    def test_default_delay_is_drawn_between_five_and_ten_seconds(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(random, "uniform", lambda least, most: least * 1000 + most)
        monkeypatch.setattr(rate_limits, "MAX_SLOWDOWN", 1e9)
        assert rate_limits.slow_down(make_account(), None) == 5010

    def test_default_delay_is_five_to_ten_seconds(self) -> None:
        assert 5 <= rate_limits.slow_down(make_account(), None) <= 10

    def test_each_repetition_doubles_the_delay_up_to_two_minutes(self) -> None:
        account = make_account()
        waits = [rate_limits.slow_down(account, 5) for _ in range(7)]
        assert waits == [5, 10, 20, 40, 80, 80, 80]
        assert rate_limits.slow_down(account, 30) == 120

    def test_shorter_delay_does_not_replace_a_longer_one(self) -> None:
        account = make_account()
        rate_limits.slow_down(account, 60)
        Allowance.objects.update(slow_streak=0)
        rate_limits.slow_down(account, 1)
        assert rate_limits.reserve(account)[0] > 50

    def test_answer_resets_the_growth(self) -> None:
        account = make_account()
        rate_limits.slow_down(account, 5)
        rate_limits.record_answer(account)
        assert rate_limits.slow_down(account, 5) == 5

    def test_answer_does_not_shorten_the_delay(self) -> None:
        account = make_account()
        rate_limits.slow_down(account, 60)
        rate_limits.record_answer(account)
        assert rate_limits.reserve(account)[0] > 50

    def test_other_account_is_not_delayed(self) -> None:
        rate_limits.slow_down(make_account(), 60)
        assert rate_limits.reserve(make_account()) == [0]
