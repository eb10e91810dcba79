"""Lets one start of the portal at a time prepare a database, on all hosts together.

On PostgreSQL a second connection holds a transaction with an advisory lock. A lock of the session
would be lost behind PgBouncer in transaction mode, and a lock of the migrations' own transaction
would end with the first migration. The transaction holds no snapshot and no table, so that
migrations outside a transaction, such as CREATE INDEX CONCURRENTLY, do not wait for it. On SQLite a
lock on a file beside the database does the same. Both end with the process, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from django.db import DatabaseError, OperationalError, connection

LOCK_ID: Final = 7_305_829_441
"""Any number that no other program uses for an advisory lock in the same database."""
POLL: Final = 0.2
SAY_EVERY: Final = 60.0
"""Seconds between two lines about the same wait."""


@contextmanager
def hold_start_lock(report: Callable[[str], None]) -> Iterator[None]:
    """Wait for the lock, hold it during the block. `report` is called for a wait."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "postgresql":
        with _advisory_lock(report):
            yield
    elif ":memory:" in name:
        yield
    else:
        with hold_file_lock(Path(f"{name}.start-lock"), report):
            yield


@contextmanager
def _advisory_lock(report: Callable[[str], None]) -> Iterator[None]:
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            # Migrations may take longer than a server lets a transaction idle.
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")

            def take() -> bool:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_ID])
                return bool(cursor.fetchone()[0])

            _wait(take, "another host prepares this database", report)
            yield
    finally:
        with suppress(DatabaseError):
            holder.rollback()
        holder.close()


@contextmanager
def hold_file_lock(file: Path, report: Callable[[str], None]) -> Iterator[None]:
    """That of the SQLite database which this file lies beside."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise OperationalError(f"its folder cannot be written: {error.strerror}") from None
    try:

        def take() -> bool:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _wait(take, f"another start of the portal prepares this database and holds {file}", report)
        yield
    finally:
        # The file stays: a new one would be a new lock beside that of a waiting start.
        os.close(descriptor)


def _wait(take: Callable[[], bool], what_for: str, report: Callable[[str], None]) -> None:
    say_at, began = 0.0, time.monotonic()
    while not take():
        if time.monotonic() >= say_at:
            waited = time.monotonic() - began
            report(f"Waiting, for {waited:.0f} s so far: {what_for}.")
            say_at = time.monotonic() + SAY_EVERY
        time.sleep(POLL)
