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

LINGER = 5.0
"""Seconds that a thread stays at a desk without work, with its connection open."""
SETTLED = 3.0
"""Seconds after which a pause that a thread saw stands in the database, if it holds."""
STALE = 10.0
"""Seconds."""
SHARED_FROM = 4
"""Calls in flight from which on one is kept for what staff wait for."""
SLACK = 0.1
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
        return time.monotonic() - self.ready_at > STALE


def most_bulk(in_flight: int) -> int:
    """Of so many calls in flight, how many may be bulk work."""
    return in_flight - 1 if in_flight >= SHARED_FROM else in_flight


class SlidingWindow:
    """The calls that left this process lately: an exact guard of both windows.

    The shared allowance spaces the slots; a job that waited for a thread leaves later
    than its slot, and several of those at once could crowd a window.
    """

    def __init__(self, per_second: int, per_minute: int) -> None:
        self._windows = [(1.0 + SLACK, deque[float](maxlen=per_second))]
        self._windows.append((60.0 + SLACK, deque[float](maxlen=per_minute)))

    def wait_for_next(self, now: float) -> float:
        """Seconds until one more call may leave."""
        return max(
            (times[0] + length - now for length, times in self._windows if _is_full(times)),
            default=0.0,
        )

    def note(self, now: float) -> None:
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
        self._arrival = threading.Condition(self._lock)
        self._waiting = 0
        self._leaving = False
        self._order = count()
        self._ready: list[QueuedCall] = []
        self._bulk_ready = 0
        self._bulk_out = 0
        self._threads = 0
        self._in_flight = account.in_flight
        self._limits = (account.per_second, account.per_minute)
        self._departures = SlidingWindow(*self._limits)
        self._slow_until = 0.0
        self._paused = False
        self._paused_at = 0.0

    def _follow(self, account: Account) -> None:
        """Staff may have changed the account's limits."""
        self._in_flight = account.in_flight
        limits = (account.per_second, account.per_minute)
        if limits != self._limits:
            self._limits = limits
            self._departures = SlidingWindow(*limits)

    def put(self, tasks: Sequence[QueuedCall]) -> int:
        """Keep tasks ready; says how many more threads should come for them.

        All at once, since every turn at the lock lets a thread run that then has the loop
        wait for Python's own."""
        with self._arrival:
            for task in tasks:
                self._follow(task.account)
                heapq.heappush(self._ready, task)
                self._bulk_ready += task.is_bulk
            self._arrival.notify(min(self._waiting, len(tasks)))
            lacking = self._takeable() - self._waiting
            more = max(0, min(lacking, self._in_flight - self._threads))
            self._threads += more
            return more

    def _takeable(self) -> int:
        """How many of the ready tasks may be begun now."""
        if self._leaving:
            return len(self._ready)
        bulk = min(self._bulk_ready, max(0, most_bulk(self._in_flight) - self._bulk_out))
        return len(self._ready) - self._bulk_ready + bulk

    def next_order(self) -> int:
        return next(self._order)

    def take(self) -> QueuedCall | None:
        """The next task for the thread that asks, as soon as there is one; None sends the
        thread away: none came for long, or the account may have fewer calls in flight."""
        with self._arrival:
            while not self._takeable() and self._threads <= self._in_flight and not self._leaving:
                self._waiting += 1
                in_time = self._arrival.wait(LINGER)
                self._waiting -= 1
                if not in_time:
                    break
            if self._takeable() and self._threads <= self._in_flight:
                task = heapq.heappop(self._ready)
                self._bulk_ready -= task.is_bulk
                self._bulk_out += task.is_bulk
                return task
            self._threads -= 1
            # This thread may have been woken for a task that another must take now.
            self._arrival.notify()
            return None

    def put_down(self, task: QueuedCall) -> None:
        """The thread that took a task is done with it."""
        with self._lock:
            self._bulk_out -= task.is_bulk

    def lose_thread(self) -> None:
        """One that was to come will not."""
        with self._arrival:
            self._threads -= 1

    def send_threads_away(self) -> None:
        """Threads leave as soon as nothing is ready."""
        with self._arrival:
            self._leaving = True
            self._arrival.notify_all()

    def is_closed(self, *, paid: bool) -> bool:
        """Whether a task that waits here is to be handed back instead of being begun."""
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
        if time.monotonic() - self._paused_at > SETTLED:
            self._paused = False
        self._paused_at = 0.0

    def leave(self, sleep: Callable[[float], object]) -> bool:
        """Wait until one more call may leave, and count it. False: none may any more."""
        while not self._leaving:
            with self._lock:
                now = time.monotonic()
                wait = self._departures.wait_for_next(now)
                if wait <= 0:
                    self._departures.note(now)
                    return True
            sleep(wait)
        return False
