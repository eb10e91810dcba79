"""The identity of the database: which server and file it is, and whether it is complete."""

from __future__ import annotations

import logging
from pathlib import Path
from weakref import WeakKeyDictionary

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

logger = logging.getLogger(__name__)

_POSTGRESQL = """
    SELECT (SELECT system_identifier FROM pg_control_system()),
           CASE WHEN pg_is_in_recovery() THEN ''
                ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END,
           (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_FOREIGN_KEYS = """
    SELECT count(*) FROM pg_constraint
     WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
"""
_files_at_connect: WeakKeyDictionary[BaseDatabaseWrapper, tuple[int, int]] = WeakKeyDictionary()
"""Device and inode of SQLite's file when each connection was opened."""


def read() -> str:
    """The server's own name for this database; empty on SQLite, and if the server hides it.

    It changes when another server takes over (a new timeline), and when the database is created
    again. It does not change when a backup is restored into the same database.
    """
    if connection.vendor != "postgresql":
        return ""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_POSTGRESQL)
            system, timeline, database = cursor.fetchone()
    except DatabaseError as error:
        if not connection.is_usable():
            raise
        logger.info("The server does not tell its identity (%s).", type(error).__name__)
        return ""
    return f"{system}/{timeline}/{database}"


def is_complete() -> bool:
    """Whether no restore is at work in this database (PostgreSQL).

    A restore fills one table after the other and adds the foreign keys last. What waits in a
    table that comes later could not be put on hold yet.
    """
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute(_FOREIGN_KEYS)
        (present,) = cursor.fetchone()
    return bool(present >= _count_foreign_keys())


def _count_foreign_keys() -> int:
    return sum(
        1
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.local_concrete_fields
        if field.is_relation and getattr(field, "db_constraint", False)
    )


# --- SQLite's file -------------------------------------------------------------------


def is_file_replaced() -> bool:
    """Whether another file lies where this connection opened its own (SQLite).

    The connection continues with the file that it opened, even if that one is deleted.
    """
    wrapper = connections[DEFAULT_DB_ALIAS]
    opened = _files_at_connect.get(wrapper)
    return wrapper.connection is not None and opened is not None and opened != _file(wrapper)


def _note_file(connection: BaseDatabaseWrapper, **_: object) -> None:
    file = _file(connection) if connection.vendor == "sqlite" else None
    if file is not None:
        _files_at_connect[connection] = file


def _file(wrapper: BaseDatabaseWrapper) -> tuple[int, int] | None:
    try:
        found = Path(wrapper.settings_dict["NAME"]).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


connection_created.connect(_note_file, dispatch_uid="providers.hold.identity")
