"""Databases of their own for the tests of an upgrade: a dump loaded, or a copy of one."""

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
"""Of each table: its columns, and its rows."""


@contextmanager
def connected(name: str) -> Iterator[None]:
    """Within the block `default` is that database."""
    original = connection.settings_dict["NAME"]
    _connect(name)
    try:
        yield
    finally:
        _connect(original)


def _connect(name: str) -> None:
    connection.close()
    # In place, since the connections of other threads are made of it.
    connection.settings_dict["NAME"] = name
    # A content type has another id in another database.
    ContentType.objects.clear_cache()


def load(release: str, folder: Path, name: str) -> str:
    """Make a database of a release's dump. Returns what `connected` knows it by."""
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
    """A new database on the PostgreSQL server, in the place of one that a run left behind."""
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
    # Not the file alone: the newest rows may stand in the log beside it.
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
    asked = ", ".join(map(quote, columns))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {asked} FROM {quote(table)}")
        return [tuple(map(_comparable, row)) for row in cursor.fetchall()]


def _comparable(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def write_anew(rows: Rows) -> dict[str, str]:
    """Take every row away and write these, as a version does it that knows these columns
    only. Returns what was refused of each table."""
    refused = {}
    # References are checked at the end of the transaction, so any order will do.
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
        # What is missing would be found missing by its references first.
        transaction.set_rollback(bool(refused))
    ContentType.objects.clear_cache()
    return refused


def _insert(table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, columns))
    places = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {quote(table)} ({names}) VALUES ({places})", rows)
