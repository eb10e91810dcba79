"""PostgreSQL, as what the portal is moved into: a schema beside its own until all is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.utils import OperationalError, ProgrammingError

from smsportal.backup import postgresql
from smsportal.backup.postgresql import STAGED

from . import MoveError
from .tables import Table

PRESENT: Final = (
    "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace"
    " AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND NOT EXISTS (SELECT FROM pg_depend"
    " WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')"
    " ORDER BY relname"
)
"""What is in a schema, but for what extensions put there."""
FOREIGN_KEYS: Final = (
    "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)"
    " FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"
    " ORDER BY 1, 2"
)


class Target(postgresql.Target):
    def __init__(self, now: datetime) -> None:
        with _in_sentences():
            super().__init__(now)

    def require_empty(self) -> None:
        present = [str(name) for (name,) in self._query(PRESENT, [self.schema])]
        if present:
            more = f" and {len(present) - 3} more" if len(present) > 3 else ""
            raise MoveError(
                f"The PostgreSQL database is not empty: its schema {self.schema} has"
                f" {', '.join(present[:3])}{more}. Name an empty database in DATABASE_URL."
            )

    @contextmanager
    def empty_stage(self) -> Iterator[None]:
        """A new schema, which `staged_settings` connects to. Dropped in the end, with all in it."""
        with _in_sentences(), transaction.atomic():
            # A move that was killed left one.
            self._execute(f"DROP SCHEMA IF EXISTS {STAGED} CASCADE")
            self._execute(f"CREATE SCHEMA {STAGED}")
        try:
            yield
        finally:
            with transaction.atomic():
                self._execute(f"DROP SCHEMA IF EXISTS {STAGED} CASCADE")

    def adopt(self) -> None:
        """Move the tables into the portal's schema, which must still be empty."""
        with _in_sentences(), transaction.atomic():
            self._execute("SET LOCAL lock_timeout = '10s'")
            self.require_empty()
            self._move_all(STAGED, self.schema)
        self._execute("ANALYZE")


@contextmanager
def without_guards(tables: list[Table]) -> Iterator[None]:
    """Within the block, rows may come in any order, and no trigger sees them.

    Foreign keys are taken away and made again, so that PostgreSQL checks each with one query. To
    switch off their own triggers would need a superuser.
    """
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(FOREIGN_KEYS)
        keys = cursor.fetchall()
        for table, name, _ in keys:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for each in tables:
            cursor.execute(f"ALTER TABLE {quote(each.name)} DISABLE TRIGGER USER")
        # Migrations and their signals have written some, with other ids.
        cursor.execute(f"TRUNCATE {', '.join(quote(each.name) for each in tables)}")
        yield
        for each in tables:
            cursor.execute(f"ALTER TABLE {quote(each.name)} ENABLE TRIGGER USER")
        for table, name, definition in keys:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def set_sequences(tables: list[Table], highest: Mapping[str, int]) -> None:
    """The next id of each table follows all that SQLite has ever given out."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for table in tables:
            for column in table.model._meta.local_concrete_fields:
                if column.get_internal_type() not in ("AutoField", "BigAutoField"):
                    continue
                name = quote(str(column.column))
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence(%s, %s), greatest(%s, 1, max({name})),"  # noqa: S608
                    f" greatest(%s, max({name})) > 0) FROM {quote(table.name)}",
                    [quote(table.name), column.column] + [highest.get(table.name, 0)] * 2,
                )


@contextmanager
def _in_sentences() -> Iterator[None]:
    try:
        yield
    except ProgrammingError as error:
        raise MoveError(
            f"PostgreSQL refused: {_first_line(error)} The portal's user must be allowed to create"
            " schemas in the database (GRANT CREATE ON DATABASE) and tables in its own."
        ) from None
    except OperationalError as error:
        raise MoveError(f"PostgreSQL cannot be used: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") + "."
