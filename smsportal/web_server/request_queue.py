"""Complete requests that wait for a web thread, and which of them is next.

No address holds more than half of the threads, and the address that holds the fewest is next.
Strangers, who have not signed in, share two threads, and one of them checks passwords, which keeps
a processor core busy. More of them wait here, where they cost nothing. Callbacks are no strangers:
they have limits of their own (`providers/callbacks/receive.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from .request_intake import RequestHead

MAX_WAITING: Final = 256
STRANGERS: Final = 2
"""Threads for requests without a session."""
PASSWORD_CHECKS: Final = 1
OPEN_PATHS: Final = ("/callbacks/", "/livez", "/readyz", "/metrics")
"""Requests without a session that are expected."""
PASSWORD_PATHS: Final = ("/confirm/", "/login/", "/password_change/")

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Lane:
    """What a request counts for."""

    address: str
    checks_password: bool = False
    is_stranger: bool = False


def lane_of(head: RequestHead | None, address: str, session_cookie: str) -> Lane:
    """The lane of a request. A forged session counts as one, and costs no more than its check."""
    if head is None:
        return Lane(address, is_stranger=True)
    cookies = (part.partition("=")[0].strip() for part in head.values("cookie").split(";"))
    return Lane(
        address,
        checks_password=head.method == "POST" and head.path.endswith(PASSWORD_PATHS),
        is_stranger=not head.path.startswith(OPEN_PATHS) and session_cookie not in cookies,
    )


class RequestQueue(Generic[T]):
    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._per_address = max(1, threads // 2)
        self._waiting: dict[T, Lane] = {}
        self._running: dict[T, Lane] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, request: T, lane: Lane) -> T | None:
        """Let a request wait. Returns the one that is to be refused if too many do."""
        self._waiting[request] = lane
        if len(self._waiting) <= MAX_WAITING:
            return None
        counts = Counter(lane.address for lane in self._waiting.values())
        greediest = counts.most_common(1)[0][0]
        newest = next(
            one for one, lane in reversed(self._waiting.items()) if lane.address == greediest
        )
        del self._waiting[newest]
        return newest

    def take(self) -> T | None:
        """The next request that may run now, which then counts as running."""
        if len(self._running) >= self._threads:
            return None
        running = Counter(lane.address for lane in self._running.values())
        checks = sum(lane.checks_password for lane in self._running.values())
        strangers = sum(lane.is_stranger for lane in self._running.values())
        admitted = [
            request
            for request, lane in self._waiting.items()
            if running[lane.address] < self._per_address
            and not (lane.checks_password and checks >= PASSWORD_CHECKS)
            and not (lane.is_stranger and strangers >= STRANGERS)
        ]
        if not admitted:
            return None
        # The oldest of those whose address has the fewest: `min` returns the first.
        request = min(admitted, key=lambda one: running[self._waiting[one].address])
        self._running[request] = self._waiting.pop(request)
        return request

    def finished(self, request: T) -> None:
        self._running.pop(request, None)
