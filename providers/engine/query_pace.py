"""How often the sources are asked for due rows."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from .change_watch import ChangeWatch
from .work_source import Lane, WorkSource

QUERY_EVERY: Final[Mapping[Lane, float]] = {
    Lane.STAFF: 0.0,
    Lane.ORDERS: 0.1,
    Lane.POLLS: 0.25,
    Lane.BULK: 0.25,
}
"""Seconds between two queries to a source that had no work. With every source in every round,
rows would wait for the answers of all these queries."""
BACKLOG_FACTOR: Final = 3
"""Factor by which the queries become rarer while other sources have a backlog."""
BACKLOG_QUERY_EVERY: Final = 0.05
"""The shortest interval then, in seconds, so that not every round makes a query."""
QUIET_QUERY_EVERY: Final = 0.4
"""Seconds between two queries while nobody else writes to the database. Rows that become due by
time alone, or that the loop itself has queued again, are found that late at most."""


@dataclass(frozen=True, slots=True)
class _EmptyQuery:
    at: float
    """By the monotonic clock."""
    accounts: frozenset[int]


class QueryPace:
    def __init__(self) -> None:
        self._changes = ChangeWatch()
        self._last_empty: dict[str, _EmptyQuery] = {}
        self._is_quiet = False

    def begin_round(self, *, idle: bool) -> None:
        """Look whether anything was written since, unless the loop has work anyway."""
        self._is_quiet = idle and self._changes.is_quiet()

    def is_quiet(self) -> bool:
        """Whether nobody has written to the database for a while."""
        return self._changes.is_quiet()

    def is_due(self, source: WorkSource, *, backlog: bool) -> bool:
        """Whether enough time has passed since a query that found nothing."""
        pause = QUERY_EVERY[source.lane]
        if backlog:
            pause = max(pause * BACKLOG_FACTOR, BACKLOG_QUERY_EVERY)
        last = self._last_empty.get(source.name)
        return last is None or time.monotonic() >= last.at + pause

    def is_known_empty(self, source: WorkSource, accounts: Collection[int]) -> bool:
        """Whether a recent query found nothing for these accounts, and nobody has written since."""
        last = self._last_empty.get(source.name)
        return (
            self._is_quiet
            and last is not None
            and last.accounts.issuperset(accounts)
            and time.monotonic() < last.at + QUIET_QUERY_EVERY
        )

    def note_empty(self, source: WorkSource, accounts: Collection[int], asked_at: float) -> None:
        self._last_empty[source.name] = _EmptyQuery(asked_at, frozenset(accounts))
