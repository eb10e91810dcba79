"""The fence: shows that the database is older than what was done.

A counter in the database rises in each transaction that marks calls in flight. Its value is then
written to files of this host. A database whose counter is lower than a value seen before has gone
back in time: its rows may have been sent since.

The upper bits of the counter number the *pasts* of the database. Each automatic hold begins a new
one. So every process notices that what it remembers belongs to another past, even if it has not
seen the lower counter itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db import OperationalError, connection

from core.acts import record_act

from ..models import Fence
from . import fence_files, identity

logger = logging.getLogger(__name__)

T = TypeVar("T")

PAST_BITS: Final = 40
"""Bits of the counter within one past: centuries at a hundred rises a second."""
DEADLOCK: Final = "40P01"
TRIES: Final = 5

_RISE: Final = "UPDATE providers_fence SET counter = counter + 1 WHERE id = 1 RETURNING counter"
_READ: Final = "SELECT counter FROM providers_fence WHERE id = 1"


class FenceBroken(Exception):
    """What this process remembers of the database is not its past."""


class DatabaseOlder(FenceBroken):
    """The counter is lower than one that was seen, or the row is missing."""

    def __init__(self, counter: int | None, seen: int) -> None:
        found = "no counter" if counter is None else counter
        super().__init__(f"the database is older than what was done ({found} after {seen})")
        self.counter = counter
        self.seen = seen


class DatabaseRestored(FenceBroken):
    """`manage.py restore` has marked the database, and no start has decided about it yet."""

    def __init__(self) -> None:
        super().__init__("the database was restored from a backup")


class PastReplaced(FenceBroken):
    """Another process has begun a hold, and with it a new past."""

    def __init__(self) -> None:
        super().__init__("another process has begun a new past")


@dataclass(slots=True)
class _Memory:
    """What this process knows."""

    seen: int = 0
    """The highest counter."""
    past: int | None = None
    """The past that it works in. None until it has looked."""
    identity: str = ""


_memory = _Memory()


def past_of(counter: int) -> int:
    return counter >> PAST_BITS


def count_within_past(counter: int) -> int:
    """How often this counter has risen in its past, as people read it."""
    return counter & ((1 << PAST_BITS) - 1)


def current_past() -> int:
    """The number of the past that this process works in."""
    return _memory.past or 0


def seen() -> int:
    return _memory.seen


def forget() -> None:
    """Forget what this process has seen, as if it had just started."""
    _memory.seen, _memory.past, _memory.identity = 0, None, ""


# --- while the engine works ------------------------------------------------------------


def rise() -> int:
    """Raise the counter. The last statement of a transaction that marks calls in flight.

    Raises `FenceBroken` if the calls must not be made. The caller then rolls back.
    Otherwise `keep` the returned value after the commit, before the calls begin. The file comes
    second, because a kill between the two would otherwise look like a restored database.
    """
    counter = _query(_RISE)
    if counter is None or counter <= _memory.seen:
        raise DatabaseOlder(counter, _memory.seen)
    _require_same_past(counter)
    return counter


def keep(counter: int) -> None:
    """Remember a committed value, in this process and in the files."""
    _memory.seen = max(_memory.seen, counter)
    fence_files.write(_memory.seen, _memory.identity)


def check() -> None:
    """Raise `FenceBroken` unless the database is the one that this process knows."""
    counter = _query(_READ)
    if counter is None or counter < _memory.seen:
        raise DatabaseOlder(counter, _memory.seen)
    _require_same_past(counter)


def _require_same_past(counter: int) -> None:
    if _memory.past is None:
        _memory.past = past_of(counter)
    elif _memory.past != past_of(counter):
        raise PastReplaced


def _query(statement: str) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return int(row[0]) if row else None


# --- at each beat, and after each reconnect -----------------------------------------------


def look() -> None:
    """Compare the database with what this process and this host's files know.

    Raises `FenceBroken` if it is older, is marked as restored, or has another past. Otherwise
    keeps the counter and notes a new identity, such as that of a standby that took over.
    """
    if identity.is_file_replaced() and not connection.in_atomic_block:
        connection.close()
    # Before the database: a value in a file has been committed there.
    known = max(_memory.seen, fence_files.highest())
    row = find()
    if row is None and known == 0:
        row = create()
    if row is None or row.counter < known:
        raise DatabaseOlder(row.counter if row else None, known)
    if row.restored_at is not None:
        raise DatabaseRestored
    _require_same_past(row.counter)
    _memory.identity = identity.read()
    _note_identity(row.identity, _memory.identity)
    keep(row.counter)


def _note_identity(before: str, now: str) -> None:
    """Store a new identity. One process of all leaves the notice."""
    if now in ("", before):
        return
    row = Fence.objects.filter(pk=Fence.SINGLETON, identity=before)
    if row.update(identity=now) and before:
        logger.warning("Another database server has taken over: %s after %s.", now, before)
        record_act("fence.server", by=None, before=before, now=now)


def find() -> Fence | None:
    return Fence.objects.filter(pk=Fence.SINGLETON).first()


def create() -> Fence:
    """The row of a database that has none yet."""
    return Fence.objects.get_or_create(pk=Fence.SINGLETON)[0]


# --- a new past ---------------------------------------------------------------------


def lock() -> Fence:
    """The row, locked until the end of the transaction. Created if it is missing."""
    create()
    return Fence.objects.select_for_update().get(pk=Fence.SINGLETON)


def begin_past(row: Fence, *known: int) -> int:
    """Begin a new past in this locked row, above all known counters. Returns its counter.

    `adopt` it after the commit.
    """
    row.counter = past_of(max(row.counter, 0, *known)) + 1 << PAST_BITS
    row.save(update_fields=["counter"])
    return row.counter


def adopt(counter: int) -> None:
    """Work in the past of this committed counter from now on."""
    _memory.past = past_of(counter)
    _memory.identity = identity.read()
    keep(counter)


def repeat_on_deadlock(work: Callable[[], T]) -> T:
    """Run a transaction again if the server ended it to resolve a deadlock.

    A hold locks the fence first and then its rows. The dispatcher does it the other way round.
    """
    for _ in range(TRIES - 1):
        try:
            return work()
        except OperationalError as error:
            cause: Any = error.__cause__
            if connection.in_atomic_block or getattr(cause, "sqlstate", "") != DEADLOCK:
                raise
    return work()
