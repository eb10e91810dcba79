"""Wait for a condition that another thread or process fulfils."""

from __future__ import annotations

import time
from collections.abc import Callable

LAST_RESORT = 120.0


def wait_until(holds: Callable[[], object], *, at_most: float = LAST_RESORT) -> None:
    """Return as soon as the condition holds; fail after `at_most` seconds."""
    end = time.monotonic() + at_most
    while not holds():
        assert time.monotonic() < end, "the condition did not hold in time"
        time.sleep(0.05)
