"""Limit the share of an account that bulk work takes, so that staff never wait for it.

The count is kept in memory, because one loop at a time serves an account. The shared allowance
keeps the account's own limits in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..models import Account

SHARE: Final = 0.9
"""The part of each rate limit that bulk work may use."""
BULK_HORIZON: Final = 0.2
"""Seconds that bulk work takes its slots ahead, enough to keep the threads busy. A single send
gets the next slot after those, so it waits at most this long for them."""


@dataclass(slots=True)
class BulkThrottle:
    """Space the slots of bulk work evenly. Bursts within the limits are left to staff."""

    free_at: float = 0.0
    """By the monotonic clock."""

    def available_slots(self, account: Account, now: float) -> int:
        """The number of slots between now and `BULK_HORIZON`."""
        start = max(self.free_at, now)
        if start > now + BULK_HORIZON:
            return 0
        return 1 + int((now + BULK_HORIZON - start) / call_spacing(account))

    def take(self, account: Account, now: float, slots: int) -> None:
        # A slot that passed unused is not made up for.
        self.free_at = max(self.free_at, now) + slots * call_spacing(account)

    def wait_until(self, moment: float) -> None:
        self.free_at = max(self.free_at, moment)


def call_spacing(account: Account) -> float:
    """Seconds between two bulk calls of this account."""
    return max(1 / (SHARE * account.per_second), 60 / (SHARE * account.per_minute))


def bulk_rate_per_minute(account: Account) -> float:
    """The highest rate, in messages a minute, that a batch can reach."""
    return 60 / call_spacing(account)


def bulk_capacity(in_flight: int) -> int:
    """The number of bulk rows that a loop may hold at once. A quarter of the capacity stays free,
    so that a single send is claimed at once."""
    return 2 * in_flight - max(1, in_flight // 2)
