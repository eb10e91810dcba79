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
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from ..gateway.call import Login
from ..gateway.client import Client
from .sources import Job, WorkSource

STALE = 10.0
"""Seconds."""
SLACK = 0.02
"""Seconds that a window is kept longer than the provider's own."""


@dataclass(order=True)
class Task:
    lane: int
    order: int
    source: WorkSource = field(compare=False)
    job: Job = field(compare=False)
    client: type[Client] = field(compare=False)
    login: Login = field(compare=False)
    ready_at: float = field(compare=False, default_factory=time.monotonic)

    @property
    def is_stale(self) -> bool:
        """It waited so long for a thread that it is decided anew whether it may go."""
        return time.monotonic() - self.ready_at > STALE


class Departures:
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


class Desk:
    """One account's jobs in this process. Every method may be called from any thread."""

    def __init__(self, per_second: int, per_minute: int) -> None:
        self._lock = threading.Lock()
        self._order = count()
        self._ready: list[Task] = []
        self._running = 0
        self._limits = (per_second, per_minute)
        self._departures = Departures(per_second, per_minute)
        self._slow_until = 0.0
        self._paused = False

    def set_limits(self, per_second: int, per_minute: int) -> None:
        with self._lock:
            if self._limits != (per_second, per_minute):
                self._limits = (per_second, per_minute)
                self._departures = Departures(per_second, per_minute)

    def put(self, task: Task, in_flight: int) -> bool:
        """Keep a task ready. True if one more thread should come for it."""
        with self._lock:
            heapq.heappush(self._ready, task)
            if self._running >= in_flight:
                return False
            self._running += 1
            return True

    def next_order(self) -> int:
        return next(self._order)

    def take(self) -> Task | None:
        """The next task for the thread that asks; None sends the thread away."""
        with self._lock:
            if self._ready:
                return heapq.heappop(self._ready)
            self._running -= 1
            return None

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

    def resume(self) -> None:
        self._paused = False

    def leave(self, sleep: Callable[[float], object]) -> None:
        """Return at the moment when one more call may leave, and count it."""
        while True:
            with self._lock:
                now = time.monotonic()
                wait = self._departures.wait_for_next(now)
                if wait <= 0:
                    self._departures.note(now)
                    return
            sleep(wait)
