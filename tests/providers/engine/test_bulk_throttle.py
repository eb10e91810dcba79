"""Bulk work takes at most nine tenths of an account's limits, and only shortly ahead of time."""

from __future__ import annotations

import pytest

from providers.engine.bulk_throttle import (
    BULK_HORIZON,
    BulkThrottle,
    bulk_capacity,
    bulk_rate_per_minute,
    call_spacing,
)
from providers.models import Account


def account(per_second: int, per_minute: int) -> Account:
    return Account(per_second=per_second, per_minute=per_minute)


@pytest.mark.parametrize(
    ("per_second", "per_minute", "a_minute"), [(10, 300, 270), (2, 300, 108), (10, 100_000, 540)]
)
def test_bulk_rate_is_nine_tenths_of_the_narrower_limit(
    per_second: int, per_minute: int, a_minute: float
) -> None:
    assert bulk_rate_per_minute(account(per_second, per_minute)) == pytest.approx(a_minute)


@pytest.mark.parametrize("limits", [(10, 300), (100, 6_000), (1, 20), (250, 15_000)])
def test_taking_all_slots_for_a_minute_stays_within_the_rate(limits: tuple[int, int]) -> None:
    slow, throttle, taken, now = account(*limits), BulkThrottle(), 0, 1000.0
    while now < 1060:
        slots = throttle.available_slots(slow, now)
        throttle.take(slow, now, slots)
        taken += slots
        now += 0.05
    # The slots taken ahead and the first slot come on top.
    assert taken <= bulk_rate_per_minute(slow) + BULK_HORIZON / call_spacing(slow) + 1
    assert taken >= bulk_rate_per_minute(slow) - 1


def test_unused_slots_are_not_made_up_for() -> None:
    slow, throttle = account(10, 300), BulkThrottle()
    throttle.take(slow, 1000.0, 1)
    assert throttle.available_slots(slow, 1100.0) == BulkThrottle().available_slots(slow, 1100.0)


def test_single_send_waits_at_most_the_horizon_for_bulk_work() -> None:
    quick, throttle = account(100, 6_000), BulkThrottle()
    throttle.take(quick, 1000.0, throttle.available_slots(quick, 1000.0))
    assert throttle.available_slots(quick, 1000.0) == 0
    assert throttle.free_at - 1000.0 <= BULK_HORIZON + call_spacing(quick)


def test_no_slot_is_available_before_the_end_of_a_wait() -> None:
    quick, throttle = account(100, 6_000), BulkThrottle()
    throttle.wait_until(1010.0)
    throttle.wait_until(1005.0)
    assert throttle.available_slots(quick, 1009.0) == 0
    assert throttle.available_slots(quick, 1010.0) > 0


def test_capacity_is_shared_by_single_sends_and_bulk_work() -> None:
    assert all(0 < bulk_capacity(in_flight) < 2 * in_flight for in_flight in range(1, 65))
