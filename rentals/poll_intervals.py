"""How often an order is polled, and for how long.

Source: GoSMS document, 最佳实践 1: every 3 s for the first 30 s, every 5 s until 2 minutes,
then every 10 s, until the SMS arrives or the order expires. The sample programs in the
document give up after 300 s. An order lives for 600 s, so polling follows the order's end.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from providers import clock
from providers.gateway.stated_times import lifetime_of

from .models import Order

FIRST_PHASE: Final = timedelta(seconds=30)
SECOND_PHASE: Final = timedelta(minutes=2)
SLOWEST: Final = timedelta(seconds=10)
GRACE: Final = timedelta(minutes=5)
"""Polling continues this long after the end: clocks differ, and the document does not say when the
provider closes an order."""
DEFAULT_LIFETIME: Final = timedelta(minutes=20)
"""Used if the provider states no plausible end."""
MAX_LIFETIME: Final = timedelta(days=2)
MAX_ONE_BY_ONE: Final = 10
"""With more pending orders than this, an account is polled by its list."""
ROUND_INTERVAL: Final = timedelta(seconds=3)
"""Shortest interval between two readings of the list of open orders."""
RATE_SHARE: Final = 0.8
"""Share of an account's calls per minute that polling may use; the rest is left to staff."""


def interval(age: timedelta) -> timedelta:
    """Time between two polls of an order of this age."""
    if age < FIRST_PHASE:
        return timedelta(seconds=3)
    if age < SECOND_PHASE:
        return timedelta(seconds=5)
    return SLOWEST


def end_of(order: Order, started_at: datetime) -> datetime:
    """When the order ends by our clock, which may differ from the provider's by minutes.

    `started_at`: when its lifetime began, by our clock.
    """
    created, expires = order.created_there, order.expires_there
    lifetime = lifetime_of(created, expires, order.raw_times)
    if lifetime is None and expires is not None and created is None:
        # The only statement about its end. The provider's clock is believed.
        lifetime = expires - started_at
    if lifetime is not None and timedelta(0) < lifetime <= MAX_LIFETIME:
        return started_at + lifetime
    return started_at + DEFAULT_LIFETIME


def gives_up_at(order: Order) -> datetime:
    """When the portal stops waiting for the provider's final state."""
    return (order.expires_at or order.created_at + DEFAULT_LIFETIME) + GRACE


def is_over(moment: datetime, now: datetime) -> bool:
    """Whether the portal may end an order because `moment` has passed.

    A clock that was set says nothing about the time since. So for as long as an order may live,
    the provider alone decides then.
    """
    return now >= moment and clock.is_settled((DEFAULT_LIFETIME + GRACE).total_seconds())


def next_poll(order: Order, now: datetime, *, by_list: bool) -> datetime:
    """When to poll a pending order next.

    If its account is polled by the list, the order itself is polled only at its end, and once more
    when the portal stops waiting for a final state.
    """
    ends, last = order.expires_at or now, gives_up_at(order)
    if by_list:
        return ends if now < ends else max(last, now + SLOWEST)
    return now + interval(now - (order.placed_at or order.created_at))


def until_next_round(calls: int, per_minute: int) -> timedelta:
    """The interval that keeps `calls` calls a round within our share of the rate limit."""
    return max(ROUND_INTERVAL, timedelta(seconds=calls * 60 / (RATE_SHARE * per_minute)))


def spare_calls(calls: int, per_minute: int) -> int:
    """Calls left of our share until the next round; at least one."""
    until = until_next_round(calls, per_minute).total_seconds()
    return max(1, int(until * RATE_SHARE * per_minute / 60) - calls)
