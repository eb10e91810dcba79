"""Separate databases for the upgrade tests: loaded from a dump or copied."""

from __future__ import annotations

import lzma
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, transaction

DUMPS: Final = Path(__file__).parent / "dumps"
FILE: Final = {"sqlite": "sqlite.sql.xz", "postgresql": "postgresql.sql.xz"}
WRITTEN_BY_MIGRATE: Final = {"django_migrations", "sqlite_sequence"}

Rows = dict[str, tuple[list[str], list[tuple[Any, ...]]]]
"""Columns and rows by table."""


@contextmanager
def connected(name: str) -> Iterator[None]:
    """Use that database as `default` within the block."""
    original = connection.settings_dict["NAME"]
    _connect(name)
    try:
        yield
    finally:
        _connect(original)


def _connect(name: str) -> None:
    connection.close()
    # Change the dictionary in place: the connections of other threads are made from it.
    connection.settings_dict["NAME"] = name
    # Content types have other ids in another database.
    ContentType.objects.clear_cache()


def load(release: str, folder: Path, name: str) -> str:
    """Load a release's dump into a new database. Returns its name for `connected`."""
    text = lzma.decompress((DUMPS / release / FILE[connection.vendor]).read_bytes()).decode()
    if connection.vendor == "sqlite":
        path = folder / f"{name}.sqlite3"
        path.unlink(missing_ok=True)
        opened = sqlite3.connect(path)
        opened.executescript(text)
        opened.close()
        return str(path)
    create(name)
    with connected(name), connection.cursor() as cursor:
        cursor.execute(text)
    return name


def create(name: str, template: str = "template1") -> None:
    """Create a database on the PostgreSQL server. Replaces one left by an earlier run."""
    drop(name)
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def drop(name: str) -> None:
    if connection.vendor == "sqlite":
        Path(name).unlink(missing_ok=True)
        return
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def copy_of(original: str, folder: Path, name: str) -> str:
    if connection.vendor == "postgresql":
        create(name, template=original)
        return name
    path = folder / f"{name}.sqlite3"
    # The newest rows may be in the write-ahead log, so copying the file is not enough.
    opened, copied = sqlite3.connect(original), sqlite3.connect(path)
    opened.backup(copied)
    opened.close()
    copied.close()
    return str(path)


def tables() -> list[str]:
    return sorted(connection.introspection.table_names())


def columns_of(table: str) -> list[str]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, table)
    return [column.name for column in found]


def all_rows() -> Rows:
    found: Rows = {}
    for table in tables():
        columns = columns_of(table)
        found[table] = (columns, rows_of(table, columns))
    return found


def rows_of(table: str, columns: list[str]) -> list[tuple[Any, ...]]:
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, columns))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {quote(table)}")
        return [tuple(map(_comparable, row)) for row in cursor.fetchall()]


def _comparable(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def replace_rows(rows: Rows) -> dict[str, str]:
    """Replace all rows with these, as a version would that knows only these columns.

    Returns the error of each refused table.
    """
    refused = {}
    # Foreign keys are checked at the end of the transaction, so the order does not matter.
    with transaction.atomic():
        for table in set(tables()) - WRITTEN_BY_MIGRATE:
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
        for table in rows.keys() - WRITTEN_BY_MIGRATE:
            try:
                with transaction.atomic():
                    _insert(table, *rows[table])
            except DatabaseError as error:
                refused[table] = str(error)
        # Otherwise the check of foreign keys would hide the refused tables.
        transaction.set_rollback(bool(refused))
    ContentType.objects.clear_cache()
    return refused


def _insert(table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, columns))
    places = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {quote(table)} ({names}) VALUES ({places})", rows)
