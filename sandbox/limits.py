"""Rate limits as a provider counts them: in sliding windows, on arrival."""

from __future__ import annotations

import time
from collections import deque


class SlidingWindow:
    """Limits the calls in any period of one second and of one minute. 0 means no limit.

    A refused call does not count. Not thread-safe: the provider's lock guards it.
    """

    def __init__(self) -> None:
        self._second: deque[float] = deque()
        self._minute: deque[float] = deque()

    def admit(self, per_second: int, per_minute: int) -> bool:
        now = time.monotonic()
        windows = ((self._second, per_second, 1.0), (self._minute, per_minute, 60.0))
        for arrivals, limit, length in windows:
            while arrivals and arrivals[0] <= now - length:
                arrivals.popleft()
            if limit and len(arrivals) >= limit:
                return False
        for arrivals, limit, _ in windows:
            if limit:
                arrivals.append(now)
        return True
