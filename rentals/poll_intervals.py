"""How often an order is asked for, and for how long.

Source: GoSMS document, 最佳实践 1: every 3 s for the first 30 s, every 5 s until 2 minutes,
then every 10 s, until the SMS is there or the order has expired. The sample programs beside
it give up after 300 s; an order lives for 600 s, so its end counts and not theirs.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from .models import Order

FIRST_PHASE: Final = timedelta(seconds=30)
SECOND_PHASE: Final = timedelta(minutes=2)
SLOWEST: Final = timedelta(seconds=10)
GRACE: Final = timedelta(minutes=5)
"""After its end an order is asked for so much longer: clocks differ, and the document does
not say when a provider closes it."""
DEFAULT_LIFETIME: Final = timedelta(minutes=20)
"""Where the provider names no end that could be one."""
MAX_LIFETIME: Final = timedelta(days=2)
MAX_ONE_BY_ONE: Final = 10
"""Up to so many open orders of an account each is asked for itself."""
ROUND_INTERVAL: Final = timedelta(seconds=3)
"""Between two readings of the list of open orders."""
RATE_SHARE: Final = 0.8
"""Of an account's calls a minute; the rest is free for staff."""


def interval(age: timedelta) -> timedelta:
    if age < FIRST_PHASE:
        return timedelta(seconds=3)
    if age < SECOND_PHASE:
        return timedelta(seconds=5)
    return SLOWEST


def end_of(order: Order, started_at: datetime) -> datetime:
    """When the order ends by our own clock: theirs may be minutes off."""
    created, expires = order.created_there, order.expires_there
    if created and expires and timedelta(0) < expires - created <= MAX_LIFETIME:
        return started_at + (expires - created)
    return started_at + DEFAULT_LIFETIME


def gives_up_at(order: Order) -> datetime:
    return (order.expires_at or order.created_at + DEFAULT_LIFETIME) + GRACE


def next_poll(order: Order, now: datetime, *, by_list: bool) -> datetime:
    """When an order that still waits is asked for next.

    While its account is followed by the list, that is only at its end, and once more when
    the portal stops waiting for the provider's last word.
    """
    ends, last = order.expires_at or now, gives_up_at(order)
    if by_list:
        return ends if now < ends else max(last, now + SLOWEST)
    return now + interval(now - (order.placed_at or order.created_at))


def until_next_round(calls: int, per_minute: int) -> timedelta:
    """Long enough that what a round causes stays within our share of the limit."""
    return max(ROUND_INTERVAL, timedelta(seconds=calls * 60 / (RATE_SHARE * per_minute)))


def spare_calls(calls: int, per_minute: int) -> int:
    """What is left of our share until the next round; never quite nothing."""
    until = until_next_round(calls, per_minute).total_seconds()
    return max(1, int(until * RATE_SHARE * per_minute / 60) - calls)
