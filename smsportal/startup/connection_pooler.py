"""Keeps a pooler of connections, such as PgBouncer in transaction mode, from breaking exports.

An export reads its rows through a cursor of the server. A pooler in transaction mode gives each
transaction another connection to the server, where that cursor does not exist. So behind a pooler
Django fetches the rows of an export at once. A pooler shows itself: it gives the client a process
id that is not that of the server's process.
"""

from __future__ import annotations

from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

SETTING: Final = "DISABLE_SERVER_SIDE_CURSORS"


def watch_connections() -> None:
    """Look at each new connection."""
    connection_created.connect(_connected, dispatch_uid="smsportal.startup.connection_pooler")


def _connected(connection: BaseDatabaseWrapper, **_: Any) -> None:
    settings = connection.settings_dict
    if not settings.get(SETTING) and is_pooled(connection):
        # All connections of this process share these settings.
        settings[SETTING] = True


def is_pooled(connection: BaseDatabaseWrapper) -> bool:
    """Whether a pooler is between this process and PostgreSQL."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (process_id,) = cursor.fetchone()
    told: int = connection.connection.info.backend_pid
    return bool(process_id != told)
