"""Make the database fail at a chosen step of whatever runs: a statement, a COPY or a commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import pytest
from django import db
from django.db import DEFAULT_DB_ALIAS, connection, connections

from core import bulk_insert


def _caused_by(error: db.Error, cause: BaseException) -> db.Error:
    error.__cause__ = cause
    return error


AWAY: Final[dict[str, Callable[[], Exception]]] = {
    "read-only": lambda: _caused_by(
        db.InternalError("cannot execute UPDATE in a read-only transaction"),
        psycopg.errors.ReadOnlySqlTransaction(),
    ),
    "refused": lambda: db.OperationalError("connection refused"),
    "terminated": lambda: _caused_by(
        db.OperationalError("terminating connection"), psycopg.errors.AdminShutdown()
    ),
    "serialization": lambda: _caused_by(
        db.OperationalError("could not serialize access"), psycopg.errors.SerializationFailure()
    ),
    "deadlock": lambda: _caused_by(
        db.OperationalError("deadlock detected"), psycopg.errors.DeadlockDetected()
    ),
    "disk full": lambda: _caused_by(db.OperationalError("no space"), psycopg.errors.DiskFull()),
    "too many connections": lambda: _caused_by(
        db.OperationalError("too many clients"), psycopg.errors.TooManyConnections()
    ),
    "out of memory": lambda: _caused_by(
        db.OperationalError("out of memory"), psycopg.errors.OutOfMemory()
    ),
    "lock timeout": lambda: _caused_by(
        db.OperationalError("lock timeout"), psycopg.errors.LockNotAvailable()
    ),
    "statement timeout": lambda: _caused_by(
        db.OperationalError("statement timeout"), psycopg.errors.QueryCanceled()
    ),
    "closed": lambda: db.InterfaceError("connection already closed"),
    "no such column": lambda: _caused_by(
        db.ProgrammingError("column does not exist"), psycopg.errors.UndefinedColumn()
    ),
    "no such table": lambda: _caused_by(
        db.ProgrammingError("relation does not exist"), psycopg.errors.UndefinedTable()
    ),
    "SQLite locked": lambda: db.OperationalError("database is locked"),
    "SQLite read-only": lambda: db.OperationalError("attempt to write a readonly database"),
    "SQLite full": lambda: db.OperationalError("database or disk is full"),
    "SQLite I/O": lambda: db.OperationalError("disk I/O error"),
    "SQLite corrupt": lambda: _caused_by(
        db.DatabaseError("database disk image is malformed"), sqlite3.DatabaseError()
    ),
    "memory": MemoryError,
}
OF_ROW: Final[dict[str, Callable[[], Exception]]] = {
    "unique": lambda: db.IntegrityError("UNIQUE constraint failed"),
    "protected": lambda: db.models.ProtectedError("protected", set()),
    "too long": lambda: db.DataError("value too long"),
    "too large for an index": lambda: _caused_by(
        db.OperationalError("index row size exceeds"), psycopg.errors.ProgramLimitExceeded()
    ),
    "defect": lambda: TypeError("a defect"),
}


class Fault:
    """Fails at step `at` and at the next `times - 1`. A commit counts as two steps: a failure
    before it takes effect, and one after that, when only its answer is lost. Errors of a row
    happen in statements only."""

    def __init__(self, at: int, error: Callable[[], Exception], times: int = 1) -> None:
        self._steps = range(at, at + times)
        self._error = error
        self.step = -1
        self.raised = 0
        self.is_of_row = error in OF_ROW.values()

    def __call__(self) -> None:
        self.step += 1
        if self.step in self._steps:
            self.raised += 1
            raise self._error()


@contextmanager
def failing(fault: Fault) -> Iterator[None]:
    """Let the statements and commits of this thread's connection meet the fault."""

    def execute(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not (fault.is_of_row and sql.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK"))):
            fault()
        return run(sql, params, many, context)

    wrapper: Any = type(connections[DEFAULT_DB_ALIAS])
    real_insert, real_commit = bulk_insert._insert, wrapper._commit

    def insert(*arguments: Any) -> None:
        # COPY does not pass the wrapper of statements.
        fault()
        real_insert(*arguments)

    def commit(self: Any) -> None:
        if fault.is_of_row:
            real_commit(self)
            return
        fault()
        real_commit(self)
        fault()

    with pytest.MonkeyPatch.context() as patch, connection.execute_wrapper(execute):
        patch.setattr(bulk_insert, "_insert", insert)
        patch.setattr(wrapper, "_commit", commit)
        yield


def names(kinds: Sequence[dict[str, Callable[[], Exception]]]) -> list[str]:
    return [name for kind in kinds for name in kind]
