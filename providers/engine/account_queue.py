"""Per-account queue of calls waiting for a worker thread, with rate pacing.

It holds a few more jobs than the account may have in flight, so that a free thread finds the next
one at once. Higher lanes go first. If the account must stop, calls that have not started are
returned without being made.
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
"""Seconds that a thread waits for the next call of an account, with its connection open."""
PAUSE_WRITE_TIME = 3.0
"""Seconds after which a pause that a thread detected is in the database, if it holds."""
STALE_AFTER = 10.0
"""Seconds that a call may wait for a thread before it is returned."""
RESERVE_FROM = 4
"""From this many calls in flight on, one is reserved for calls that are not bulk work."""
LONGEST_SLEEP = 0.5
"""Seconds between two looks whether a call that waits for its turn must be returned."""
WINDOW_MARGIN = 0.1
"""Seconds by which our windows exceed the provider's, because some calls take longer than others
to arrive, above all on a busy machine. From five calls a second on, the allowance spaces its slots
more widely than the longer window requires, so only calls that catch up wait for it."""
LONGEST_WINDOW = 60.0 + WINDOW_MARGIN


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
        """Whether it waited so long for a thread that it must be released and claimed again."""
        return time.monotonic() - self.ready_at > STALE_AFTER


def bulk_limit(in_flight: int) -> int:
    """The number of an account's calls in flight that may be bulk work."""
    return in_flight - 1 if in_flight >= RESERVE_FROM else in_flight


class SlidingWindow:
    """The recent calls of one account: an exact guard of both rate windows.

    The shared allowance spaces the slots. A job that waited for a thread starts later than its
    slot, and several of those at once could exceed a limit.
    """

    def __init__(self, per_second: int, per_minute: int) -> None:
        self._windows = [(1.0 + WINDOW_MARGIN, deque[float](maxlen=per_second))]
        self._windows.append((LONGEST_WINDOW, deque[float](maxlen=per_minute)))

    def wait_for_next(self, now: float) -> float:
        """Seconds until one more call may start; 0 or less if it may start now."""
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
    """One account's queued calls in this process. Every method is thread-safe.

    An account with several calls in flight keeps one of them free of bulk work, so that a single
    send never waits for a slow call of a batch.
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
        self._closed = False

    def take_over(self, ages: Sequence[float]) -> None:
        """Open the queue. `ages`: how long ago the account's recent calls were made, the oldest
        first."""
        with self._lock:
            now = time.monotonic()
            self._sent = SlidingWindow(*self._limits)
            for age in ages:
                self._sent.record(now - age)
            self._closed = False

    def close(self) -> None:
        """Start no call: another loop is to serve the account."""
        self._closed = True

    def open(self) -> None:
        """Serve the account again after all."""
        self._closed = False

    def _update_limits(self, account: Account) -> None:
        """Apply limits that staff may have changed."""
        self._in_flight = account.in_flight
        limits = (account.per_second, account.per_minute)
        if limits != self._limits:
            self._limits = limits
            self._sent = SlidingWindow(*limits)

    def put(self, calls: Sequence[QueuedCall]) -> int:
        """Queue calls. Returns how many more threads should serve this queue.

        All calls are queued under one lock: each release of the lock lets a thread run, and the
        loop then waits for the interpreter lock.
        """
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
        """The number of ready calls that may start now."""
        if self._dismissing:
            return len(self._ready)
        bulk = min(self._bulk_ready, max(0, bulk_limit(self._in_flight) - self._bulk_in_flight))
        return len(self._ready) - self._bulk_ready + bulk

    def next_order(self) -> int:
        return next(self._order)

    def take(self) -> QueuedCall | None:
        """Wait for the next call and return it.

        None ends the calling thread's service: no call came for `IDLE_THREAD_TIMEOUT`, the
        account may now have fewer calls in flight, or the pool is stopping.
        """
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
            # This thread may have been woken for a call that another one must take now.
            self._changed.notify()
            return None

    def finish(self, call: QueuedCall) -> None:
        """Note that a thread has finished the call that it took."""
        with self._lock:
            self._bulk_in_flight -= call.is_bulk

    def discard_thread(self) -> None:
        """Note that a thread that should serve this queue could not be started."""
        with self._changed:
            self._threads -= 1

    def dismiss_threads(self) -> None:
        """Let the threads end once no call is ready."""
        with self._changed:
            self._dismissing = True
            self._changed.notify_all()

    def is_closed(self, *, paid: bool) -> bool:
        """Whether calls of this kind must be returned instead of being started."""
        now = time.monotonic()
        return self._closed or now < self._slow_until or (paid and self._paused)

    def slow_down(self, seconds: float) -> None:
        """Start no call for this many seconds."""
        with self._lock:
            self._slow_until = max(self._slow_until, time.monotonic() + seconds)

    def pause(self) -> None:
        """Start no paid call until the account is resumed."""
        self._paused = True
        self._paused_at = time.monotonic()

    def resume(self) -> None:
        """Allow paid calls again, unless a thread paused the account just now: that pause is
        about to be written."""
        if time.monotonic() - self._paused_at > PAUSE_WRITE_TIME:
            self._paused = False
        self._paused_at = 0.0

    def wait_for_departure(self, sleep: Callable[[float], object]) -> bool:
        """Wait until one more call may start, and count it. False if none may start any more."""
        while not (self._dismissing or self._closed):
            with self._lock:
                now = time.monotonic()
                wait = self._sent.wait_for_next(now)
                if wait <= 0:
                    self._sent.record(now)
                    return True
            sleep(min(wait, LONGEST_SLEEP))
        return False
