"""Writing many rows at once, where the ORM would take longer to put the statement together
than the database takes to carry it out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DataError, IntegrityError, connection


def insert_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows whose values are ready for the database, inside the caller's transaction.

    By COPY on PostgreSQL, which takes no value of its own for each place of each row. Raises
    what the database raises, but without its words, since those may quote a whole row.
    """
    try:
        _insert(table, columns, rows)
    except (DataError, IntegrityError) as refusal:
        state = getattr(refusal.__cause__, "sqlstate", None)
        raise type(refusal)(f"{table} refused a row ({state or 'no code'}).") from None


def _insert(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    quote = connection.ops.quote_name
    into = f"{quote(table)} ({', '.join(map(quote, columns))})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with (
                connection.wrap_database_errors,
                cursor.copy(f"COPY {into} FROM STDIN") as lines,
            ):
                for row in rows:
                    lines.write_row(row)
        else:
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {into} VALUES ({places})", list(rows))  # noqa: S608 - ours
