"""Waiting for what happens elsewhere, in a thread or in another process."""

from __future__ import annotations

import time
from collections.abc import Callable

LAST_RESORT = 120.0


def wait_until(holds: Callable[[], object], *, at_most: float = LAST_RESORT) -> None:
    """Return as soon as it holds; fail if it does not come to that."""
    end = time.monotonic() + at_most
    while not holds():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.05)
