"""What every new session with the database needs, whatever the server's defaults are.

SQLite's part is in the settings: `synchronous=FULL`. In WAL mode with NORMAL a power cut may
take back the last commits. A row that was marked in flight would be queued again and paid twice,
and a form or callback that was answered as stored would be gone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

READ_ONLY: Final = "25006"
"""SQLSTATE of a statement that would write in a read-only session."""


def connect_receivers() -> None:
    connection_created.connect(prepare_session, dispatch_uid="core.prepare_session")


def prepare_session(connection: BaseDatabaseWrapper, **_: object) -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        # `off` may lose the last commits in a power cut, and `local` in a failover.
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false)"
            " WHERE current_setting('synchronous_commit') IN ('off', 'local')"
        )
    if _close_if_read_only not in connection.execute_wrappers:
        # First, because code that adds a wrapper temporarily removes the last one.
        connection.execute_wrappers.insert(0, _close_if_read_only)


@contextmanager
def synced_by_next_commit() -> Iterator[None]:
    """Do not sync the commits within the block: the next commit after it syncs them too.

    SQLite appends every commit to one file. The caller makes such a commit soon.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    _set_synchronous("NORMAL")
    try:
        yield
    finally:
        try:
            _set_synchronous("FULL")
        except DatabaseError:
            # The next connection begins with FULL.
            connection.close()


def _set_synchronous(mode: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA synchronous={mode}")


def _close_if_read_only(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Let Django replace a session that turns out to be read-only.

    It may stay so after the server takes writes again: a server's default applies to new sessions
    only. The session answers, so Django's health check keeps it.
    """
    try:
        return execute(sql, params, many, context)
    except Exception as error:
        if getattr(error.__cause__ or error, "sqlstate", None) == READ_ONLY:
            # Closed at the end of the request or task.
            context["connection"].close_at = time.monotonic()
        raise
