"""Whether anything was written to the database since the last look, for a few microseconds.

A loop without work would ask each source for due rows in every round. What becomes due by time
alone is found by the looks that it makes anyway, a few times a second.

SQLite counts the commits of other connections. PostgreSQL has the position in its write-ahead log,
which any commit moves. It moves a moment before the commit can be seen, so a change counts for a
while.
"""

from __future__ import annotations

import time
from typing import Any, Final

from django.db import Error, connection

COUNTS_FOR: Final = 0.2
"""Seconds for which a change counts as new."""
_QUESTIONS: Final = {
    "sqlite": "PRAGMA data_version",
    "postgresql": "SELECT pg_current_wal_flush_lsn()",
}


class ChangeWatch:
    def __init__(self) -> None:
        self._last: Any = None
        self._changed_at = float("-inf")
        self._cannot_tell = False

    def is_quiet(self) -> bool:
        """Whether nothing was written for a while. False if the database does not say so."""
        if self._cannot_tell or connection.in_atomic_block:
            return False
        found = self._ask()
        if found is None or found != self._last:
            self._last, self._changed_at = found, time.monotonic()
        return time.monotonic() - self._changed_at > COUNTS_FOR

    def _ask(self) -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute(_QUESTIONS[connection.vendor])
                # Another connection counts from another number. The object itself is kept, because
                # the next one may get the same id once this one is gone.
                return connection.connection, cursor.fetchone()[0]
        except Error:
            # A standby, or a role without the right to ask. An outage is noticed elsewhere.
            self._cannot_tell = connection.is_usable()
            return None
