"""What waits for a thread on one account, and when the next call of it may leave.

A few jobs more than an account's calls in flight are kept ready here, so that a thread
that comes back finds the next one at once. Those of the first lane go first. What has
not left yet when the account must stop is handed back, never sent.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from ..gateway.call import Login
from ..gateway.client import Client
from ..models import Account
from .work_source import Job, Lane, WorkSource

IDLE_THREAD_TIMEOUT = 5.0
"""Seconds that a thread stays at a desk without work, with its connection open."""
PAUSE_WRITE_TIME = 3.0
"""Seconds after which a pause that a thread saw stands in the database, if it holds."""
STALE_AFTER = 10.0
"""Seconds."""
RESERVE_FROM = 4
"""Calls in flight from which on one is kept for what staff wait for."""
WINDOW_MARGIN = 0.1
"""Seconds that a window is kept longer than the provider's own, since some calls take longer
than others to arrive, on a busy machine above all. From five calls a second on, the slots of
the allowance lie further apart than this, and only what has to catch up waits for it."""


@dataclass(order=True)
class QueuedCall:
    lane: int
    order: int
    source: WorkSource = field(compare=False)
    job: Job = field(compare=False)
    account: Account = field(compare=False)
    client: type[Client] = field(compare=False)
    login: Login = field(compare=False)
    ready_at: float = field(compare=False, default_factory=time.monotonic)

    @property
    def is_bulk(self) -> bool:
        return self.lane >= Lane.BULK

    @property
    def is_stale(self) -> bool:
        """It waited so long for a thread that it is decided anew whether it may go."""
        return time.monotonic() - self.ready_at > STALE_AFTER


def bulk_limit(in_flight: int) -> int:
    """Of so many calls in flight, how many may be bulk work."""
    return in_flight - 1 if in_flight >= RESERVE_FROM else in_flight


class SlidingWindow:
    """The calls that left this process lately: an exact guard of both windows.

    The shared allowance spaces the slots; a job that waited for a thread leaves later
    than its slot, and several of those at once could crowd a window.
    """

    def __init__(self, per_second: int, per_minute: int) -> None:
        self._windows = [(1.0 + WINDOW_MARGIN, deque[float](maxlen=per_second))]
        self._windows.append((60.0 + WINDOW_MARGIN, deque[float](maxlen=per_minute)))

    def wait_for_next(self, now: float) -> float:
        """Seconds until one more call may leave."""
        return max(
            (times[0] + length - now for length, times in self._windows if _is_full(times)),
            default=0.0,
        )

    def record(self, now: float) -> None:
        for _, times in self._windows:
            times.append(now)


def _is_full(times: deque[float]) -> bool:
    return len(times) == times.maxlen


class AccountQueue:
    """One account's jobs in this process. Every method may be called from any thread.

    An account that may have several calls in flight keeps one of them free of bulk work, so
    that a single send never waits until a slow call of a batch is over.
    """

    def __init__(self, account: Account) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._idle_threads = 0
        self._dismissing = False
        self._order = count()
        self._ready: list[QueuedCall] = []
        self._bulk_ready = 0
        self._bulk_in_flight = 0
        self._threads = 0
        self._in_flight = account.in_flight
        self._limits = (account.per_second, account.per_minute)
        self._sent = SlidingWindow(*self._limits)
        self._slow_until = 0.0
        self._paused = False
        self._paused_at = 0.0

    def _update_limits(self, account: Account) -> None:
        """Staff may have changed the account's limits."""
        self._in_flight = account.in_flight
        limits = (account.per_second, account.per_minute)
        if limits != self._limits:
            self._limits = limits
            self._sent = SlidingWindow(*limits)

    def put(self, calls: Sequence[QueuedCall]) -> int:
        """Keep calls ready; says how many more threads should come for them.

        All at once, since every turn at the lock lets a thread run that then has the loop
        wait for Python's own."""
        with self._changed:
            for call in calls:
                self._update_limits(call.account)
                heapq.heappush(self._ready, call)
                self._bulk_ready += call.is_bulk
            self._changed.notify(min(self._idle_threads, len(calls)))
            lacking = self._takeable() - self._idle_threads
            more = max(0, min(lacking, self._in_flight - self._threads))
            self._threads += more
            return more

    def _takeable(self) -> int:
        """How many of the ready calls may be begun now."""
        if self._dismissing:
            return len(self._ready)
        bulk = min(self._bulk_ready, max(0, bulk_limit(self._in_flight) - self._bulk_in_flight))
        return len(self._ready) - self._bulk_ready + bulk

    def next_order(self) -> int:
        return next(self._order)

    def take(self) -> QueuedCall | None:
        """The next call for the thread that asks, as soon as there is one; None sends the
        thread away: none came for long, or the account may have fewer calls in flight."""
        with self._changed:
            while (
                not self._takeable() and self._threads <= self._in_flight and not self._dismissing
            ):
                self._idle_threads += 1
                in_time = self._changed.wait(IDLE_THREAD_TIMEOUT)
                self._idle_threads -= 1
                if not in_time:
                    break
            if self._takeable() and self._threads <= self._in_flight:
                call = heapq.heappop(self._ready)
                self._bulk_ready -= call.is_bulk
                self._bulk_in_flight += call.is_bulk
                return call
            self._threads -= 1
            # This thread may have been woken for a call that another must take now.
            self._changed.notify()
            return None

    def finish(self, call: QueuedCall) -> None:
        """The thread that took a call is done with it."""
        with self._lock:
            self._bulk_in_flight -= call.is_bulk

    def discard_thread(self) -> None:
        """One that was to come will not."""
        with self._changed:
            self._threads -= 1

    def dismiss_threads(self) -> None:
        """Threads leave as soon as nothing is ready."""
        with self._changed:
            self._dismissing = True
            self._changed.notify_all()

    def is_closed(self, *, paid: bool) -> bool:
        """Whether a call that waits here is to be handed back instead of being begun."""
        now = time.monotonic()
        return now < self._slow_until or (paid and self._paused)

    def slow_down(self, seconds: float) -> None:
        """Nothing leaves for so long."""
        with self._lock:
            self._slow_until = max(self._slow_until, time.monotonic() + seconds)

    def pause(self) -> None:
        """No paid call leaves until the account is resumed."""
        self._paused = True
        self._paused_at = time.monotonic()

    def resume(self) -> None:
        """Unless a thread paused it just now: that is about to be written down."""
        if time.monotonic() - self._paused_at > PAUSE_WRITE_TIME:
            self._paused = False
        self._paused_at = 0.0

    def wait_for_departure(self, sleep: Callable[[float], object]) -> bool:
        """Wait until one more call may leave, and count it. False: none may any more."""
        while not self._dismissing:
            with self._lock:
                now = time.monotonic()
                wait = self._sent.wait_for_next(now)
                if wait <= 0:
                    self._sent.record(now)
                    return True
            sleep(wait)
        return False
