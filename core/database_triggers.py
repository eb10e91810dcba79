"""Create and remove triggers of the database, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import connection
from django.db.migrations import Migration


def present() -> set[str]:
    """The names of the triggers that fire. Whoever disables one has removed it."""
    statement = (
        "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
        " AND relnamespace = current_schema()::regnamespace"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {name for (name,) in cursor.fetchall()}


def create(name: str, table: str, statement: str) -> None:
    """Run the statement that creates a trigger, instead of one that is disabled."""
    drop(name, table)
    run(statement)


def drop(name: str, table: str) -> None:
    """Remove a trigger, if it and its table exist."""
    if connection.vendor == "sqlite":
        run(f"DROP TRIGGER IF EXISTS {name}")
    else:
        run(f"DROP TRIGGER IF EXISTS {name} ON {table}")


def schema() -> str:
    """The quoted name of the schema of the tables on PostgreSQL.

    Functions are created in it by name and otherwise name none, so that a restore may move tables
    and functions to another one together.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (found,) = cursor.fetchone()
    return connection.ops.quote_name(str(found))


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        # No parameters, so that a percent sign is one.
        cursor.execute(statement, None)


def changes_any(plan: Sequence[tuple[Migration, bool]], apps: Collection[str]) -> bool:
    """Whether a migration of these apps is to run."""
    return any(migration.app_label in apps for migration, _backwards in plan)
