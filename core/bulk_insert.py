"""Inserts many rows at once.

For large inserts, the ORM takes longer to build the statement than the database takes to run it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DataError, IntegrityError, connection


def insert_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows in the caller's transaction. Values must be ready for the database.

    Uses COPY on PostgreSQL, which needs no placeholder per value. Raises the database's own
    `DataError` or `IntegrityError`, but without its message, which may quote a whole row.
    """
    try:
        _insert(table, columns, rows)
    except (DataError, IntegrityError) as error:
        state = getattr(error.__cause__, "sqlstate", None)
        raise type(error)(f"{table} refused a row ({state or 'no code'}).") from None


def _insert(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    quote = connection.ops.quote_name
    target = f"{quote(table)} ({', '.join(map(quote, columns))})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with (
                connection.wrap_database_errors,
                cursor.copy(f"COPY {target} FROM STDIN") as lines,
            ):
                for row in rows:
                    lines.write_row(row)
        else:
            placeholders = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {target} VALUES ({placeholders})", list(rows))  # noqa: S608 - ours
