"""Keeps the engine from working on a database whose past is not the one that it remembers.

A database can be replaced under a running engine: by a restore, or by a standby that lags behind.
What a loop holds in memory then belongs to another past, and the ids of its rows may name other
rows by now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db import connection

from ..gateway.call import CallRecord
from ..hold import fence
from .heartbeats import BEAT_EVERY
from .worker_pool import Finished

NO_PAST = -1
"""The past in which no call may begin."""


class PastGuard:
    """Looks at the fence at every beat and after every reconnect. Only the loop uses it."""

    def __init__(self) -> None:
        self._next_look = 0.0
        self._connection: object = None
        """The connection of the last look."""

    def look_again(self) -> None:
        """Look in the next round, before anything is claimed."""
        self._next_look = 0.0

    def look_if_due(self, now: float) -> None:
        """Raise `FenceBroken` if the loop must forget what it remembers."""
        if now < self._next_look and connection.connection is self._connection:
            return
        fence.look()
        self._next_look = now + BEAT_EVERY
        self._connection = connection.connection


def set_aside(
    finished: Sequence[Finished], claim: UUID
) -> tuple[list[Finished], list[tuple[int, CallRecord]]]:
    """The results that may be written, and the calls whose row is not known any more.

    A result of another past is written only if this very claim still holds the row. Otherwise
    its call is kept in the journal without a subject.
    """
    past = fence.current_past()
    if all(one.result.job.past == past for one in finished):
        return list(finished), []
    kept: list[Finished] = []
    orphans: list[tuple[int, CallRecord]] = []
    for one in finished:
        job = one.result.job
        if job.past == past or one.source.still_holds(job, claim):
            kept.append(one)
        else:
            orphans += [(job.account_id, replace(call, subject="")) for call in one.calls]
    return kept, orphans
