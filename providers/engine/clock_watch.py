"""Notices that a wall clock was set, and how far the host's clock is from the database's."""

from __future__ import annotations

import logging
import time
from typing import Final

from django.db import connection

from .. import clock

logger = logging.getLogger(__name__)

SMALLEST_STEP: Final = 5.0
"""Seconds. Smaller differences are usual, and no limit of ours depends on them."""
UNSETTLED_FOR: Final = 130.0
"""Seconds after a step in which no row is swept. By then every loop that lives has recorded its
calls, so the marks that are left with a wrong age belong to dead ones."""


class ClockWatch:
    """Compares the wall clocks of host and database with the monotonic clock of this process."""

    def __init__(self) -> None:
        self._ahead: tuple[float, ...] | None = None
        """How far each wall clock is ahead of the monotonic one."""
        self._settled_at = 0.0

    def check(self) -> bool:
        """Read the clocks. Returns whether one was set since the last time."""
        host, database = time.time(), self._read_database()
        monotonic = time.monotonic()
        clock.set_offset(database - host)
        ahead = (host - monotonic, database - monotonic)
        before, self._ahead = self._ahead, ahead
        if before is None:
            return False
        step = max((now - then for now, then in zip(ahead, before, strict=True)), key=abs)
        if abs(step) < SMALLEST_STEP:
            return False
        logger.warning("A clock was set by %+.0f s.", step)
        self._settled_at = monotonic + UNSETTLED_FOR
        return True

    def _read_database(self) -> float:
        # SQLite reads the clock of this host.
        return time.time() if connection.vendor == "sqlite" else clock.database_now()

    @property
    def is_settled(self) -> bool:
        return time.monotonic() >= self._settled_at
