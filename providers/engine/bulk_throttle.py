"""How much of an account bulk work may take: never so much that staff have to wait for it.

Counted in memory, since one loop at a time serves an account; the account's own limits are
kept by the shared allowance, whatever happens here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..models import Account

SHARE: Final = 0.9
"""Of each limit."""
BULK_HORIZON: Final = 0.2
"""Seconds that bulk work takes its slots ahead: enough to keep the threads fed. A single send
that comes now gets a slot behind those, so it waits no longer than this for them."""


@dataclass(slots=True)
class BulkThrottle:
    """Evenly spaced slots of bulk work. It leaves the bursts of the limits to staff."""

    free_at: float = 0.0
    """By the monotonic clock."""

    def available_slots(self, account: Account, now: float) -> int:
        """How many slots there are from now until `BULK_HORIZON`."""
        start = max(self.free_at, now)
        if start > now + BULK_HORIZON:
            return 0
        return 1 + int((now + BULK_HORIZON - start) / call_spacing(account))

    def take(self, account: Account, now: float, slots: int) -> None:
        # A slot that passed while there was room for nothing is not made up for.
        self.free_at = max(self.free_at, now) + slots * call_spacing(account)

    def wait_until(self, moment: float) -> None:
        self.free_at = max(self.free_at, moment)


def call_spacing(account: Account) -> float:
    """Seconds between two calls of bulk work."""
    return max(1 / (SHARE * account.per_second), 60 / (SHARE * account.per_minute))


def bulk_rate_per_minute(account: Account) -> float:
    """Messages a minute that a batch may reach at the most."""
    return 60 / call_spacing(account)


def bulk_capacity(in_flight: int) -> int:
    """Rows of bulk work in hand at once: a quarter of the room is left, so that a single
    send is claimed at once."""
    return 2 * in_flight - max(1, in_flight // 2)
