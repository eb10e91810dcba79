"""Give an account to another loop, and take one over, without exceeding any limit.

Two guards of an account's limits are in the memory of the loop that serves it: the exact count of
the last minute's calls, and the calls in flight. So an account changes hands in this order:

1. The loop that gives it claims nothing more for it, and returns what has not begun.
2. Its calls in flight end and are recorded.
3. It frees the lease.
4. The loop that takes it counts the recorded calls of the last minute as its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Final

from .. import clock
from ..models import Account, ApiCall
from .account_queue import LONGEST_WINDOW
from .dispatch_round import LeasedAccount
from .worker_pool import WorkerPool

SETTLE_TIME: Final = 5.0
"""Seconds for which a loop must hold too many accounts before it gives one away. Another loop that
is slow for a moment keeps its share."""
LONGEST_DRAIN: Final = 10.0
"""Seconds without service after which an account that still has calls in flight is kept."""
RETRY_AFTER: Final = 30.0
"""Seconds until the next attempt then."""
CLOCK_TOLERANCE: Final = 2.0
"""Seconds by which the clocks of two hosts may differ. The page of hosts warns above that."""
CUT_OFF_PART: Final = 4
"""A loop that was cut off may have made calls that it did not record: as many as it may have in
flight, but no more than this part of a minute's limit."""


class HandOver:
    """The accounts that this loop gives away. Only the loop's thread uses it."""

    def __init__(self, worker_pool: WorkerPool) -> None:
        self._worker_pool = worker_pool
        self._leaving: dict[int, float] = {}
        """By account, the monotonic time until which it may drain."""
        self._surplus_since: float | None = None
        self._not_before = 0.0

    def plan(
        self, held: Collection[int], surplus: int, calls: Callable[[int], int], now: float
    ) -> None:
        """Choose accounts to give away, those with the fewest calls first."""
        for account_id in [one for one in self._leaving if one not in held]:
            del self._leaving[account_id]
        for account_id in list(self._leaving)[surplus:]:
            self._keep(account_id)
        if not surplus:
            self._surplus_since = None
            return
        if self._surplus_since is None:
            self._surplus_since = now
        if now < max(self._surplus_since + SETTLE_TIME, self._not_before):
            return
        able = sorted(set(held) - self._leaving.keys(), key=lambda one: (calls(one), one))
        for account_id in able[: surplus - len(self._leaving)]:
            self._leaving[account_id] = now + LONGEST_DRAIN
            self._worker_pool.close_account(account_id)

    def serving(self, served: Mapping[int, LeasedAccount]) -> Mapping[int, LeasedAccount]:
        """Those of the accounts that this loop may claim for."""
        if not self._leaving:
            return served
        return {pk: one for pk, one in served.items() if pk not in self._leaving}

    def take_drained(self, is_idle: Callable[[int], bool], now: float) -> list[int]:
        """The accounts whose lease can be freed. Keeps those that take too long."""
        drained = [one for one in self._leaving if is_idle(one)]
        for account_id in drained:
            del self._leaving[account_id]
        for account_id in [one for one, until in self._leaving.items() if now > until]:
            self._keep(account_id)
            self._not_before = now + RETRY_AFTER
        return drained

    def _keep(self, account_id: int) -> None:
        del self._leaving[account_id]
        self._worker_pool.open_account(account_id)


def ages_of_last_calls(account: Account, free_for: float, *, cut_off: bool) -> list[float]:
    """How many seconds ago the calls of the last minute were made, the oldest first.

    `free_for`: for how many seconds no loop has held the account. A call counts as younger than it
    is rather than as older: the clock of the former holder may differ from ours.
    """
    now = clock.now()
    since = now - timedelta(seconds=LONGEST_WINDOW + CLOCK_TOLERANCE)
    recent = ApiCall.objects.filter(account=account, started_at__gt=since).order_by("-started_at")
    times = list(recent.values_list("started_at", flat=True)[: account.per_minute])
    # No call began after the account was freed.
    ages = [
        max(
            (now - at).total_seconds() - CLOCK_TOLERANCE,
            min(free_for, LONGEST_WINDOW) + (times[0] - at).total_seconds(),
        )
        for at in reversed(times)
    ]
    if cut_off:
        lost = min(account.in_flight, max(1, account.per_minute // CUT_OFF_PART))
        ages += [max(0.0, free_for)] * lost
    return ages
