"""Triggers that mark a slot when a row of it changes.

The database writes the marks, in the very transaction of the change. So nothing that writes rows
can forget them: not SQL in hot paths, not the version before during an upgrade, and no hand at the
database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.migrations import Migration

from core import database_triggers as database

from .counted_tables import TABLES, Source, Table

PREFIX: Final = "figures_mark"
_FUNCTIONS: Final = """
CREATE OR REPLACE FUNCTION {schema}.figures_mark_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO figures_mark (source, slot, tx, version)
    VALUES (TG_ARGV[0], floor(extract(epoch FROM NEW.created_at) / 900)::int, txid_current(), 0)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION {schema}.figures_mark_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO figures_mark (source, slot, tx, version)
    SELECT DISTINCT TG_ARGV[0], floor(extract(epoch FROM created_at) / 900)::int,
           txid_current(), 0
      FROM new_rows
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
"""


def install(using: str = "default", **_: Any) -> None:
    """Create the triggers that are missing. Receiver of `post_migrate`; may run again.

    Where one was missing, rows may have changed unseen, so every slot that has rows is marked.
    """
    wanted = _statements()
    with transaction.atomic(using=using):
        present = database.present()
        if connection.vendor == "postgresql":
            database.run(_FUNCTIONS.format(schema=database.schema()))
        missing = [name for name in wanted if name not in present]
        for name in missing:
            table, statement = wanted[name]
            database.create(name, table, statement)
    if missing:
        mark_all()


def remove_before(
    plan: Sequence[tuple[Migration, bool]] = (), using: str = "default", **_: Any
) -> None:
    """Remove the triggers before a migration of their tables. Receiver of `pre_migrate`.

    PostgreSQL changes no column that a trigger names, and SQLite drops the triggers of a table that
    it rebuilds. What changes meanwhile is counted, since all slots are marked afterwards.
    """
    apps = {table.model._meta.app_label for table in TABLES.values()} | {"figures"}
    if database.changes_any(plan, apps):
        remove()


def missing_triggers() -> list[str]:
    present = database.present()
    return [name for name in _statements() if name not in present]


def remove() -> None:
    for source, table in TABLES.items():
        for event in ("insert", "update"):
            database.drop(f"{PREFIX}_{source}_{event}", table.model._meta.db_table)


def mark_all(source: Source | None = None) -> None:
    """Mark every slot that has rows. A slot whose rows are gone keeps its figures."""
    for one in [source] if source else list(Source):
        table = TABLES[one].model._meta.db_table
        slot = _slot("created_at")
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO figures_mark (source, slot, tx, version)"  # noqa: S608 - our constants
                f" SELECT DISTINCT '{one}', {slot}, 0, 0 FROM {table} WHERE true"
                " ON CONFLICT (source, slot, tx) DO NOTHING"
            )


def _statements() -> dict[str, tuple[str, str]]:
    """The table of each trigger and the statement that creates it, by its name."""
    make = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    return {
        f"{PREFIX}_{source}_{event}": (table.model._meta.db_table, statement)
        for source, table in TABLES.items()
        for event, statement in make(source, table)
    }


def _on_postgresql(source: Source, table: Table) -> Iterable[tuple[str, str]]:
    name, schema = table.model._meta.db_table, database.schema()
    # For each statement, since a batch is inserted by the thousand.
    yield (
        "insert",
        (
            f"CREATE TRIGGER {PREFIX}_{source}_insert AFTER INSERT ON {name}"
            " REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT"
            f" EXECUTE FUNCTION {schema}.figures_mark_rows('{source}')"
        ),
    )
    yield (
        "update",
        (
            f"CREATE TRIGGER {PREFIX}_{source}_update AFTER UPDATE OF {', '.join(table.columns)}"
            f" ON {name} FOR EACH ROW WHEN ({_changed(table, 'IS DISTINCT FROM')})"
            f" EXECUTE FUNCTION {schema}.figures_mark_row('{source}')"
        ),
    )


def _on_sqlite(source: Source, table: Table) -> Iterable[tuple[str, str]]:
    name = table.model._meta.db_table
    mark = (
        "INSERT INTO figures_mark (source, slot, tx, version)"  # noqa: S608 - our constants
        f" VALUES ('{source}', {_slot('NEW.created_at')}, 0, 0)"
        " ON CONFLICT (source, slot, tx) DO UPDATE SET version = version + 1;"
    )
    yield (
        "insert",
        f"CREATE TRIGGER {PREFIX}_{source}_insert AFTER INSERT ON {name} BEGIN {mark} END",
    )
    yield (
        "update",
        (
            f"CREATE TRIGGER {PREFIX}_{source}_update AFTER UPDATE OF {', '.join(table.columns)}"
            f" ON {name} WHEN {_changed(table, 'IS NOT')} BEGIN {mark} END"
        ),
    )


def _changed(table: Table, differs: str) -> str:
    """The condition that a column which a figure depends on has changed."""
    conditions = [
        f"{_value(table, column, 'OLD')} {differs} {_value(table, column, 'NEW')}"
        for column in table.columns
    ]
    return " OR ".join(conditions)


def _value(table: Table, column: str, row: str) -> str:
    if column != "state" or not table.on_the_way:
        return f"{row}.{column}"
    states = ", ".join(f"'{state}'" for state in table.on_the_way)
    return f"CASE WHEN {row}.state IN ({states}) THEN 'queued' ELSE {row}.state END"


def _slot(column: str) -> str:
    if connection.vendor == "postgresql":
        return f"floor(extract(epoch FROM {column}) / 900)::int"
    return f"CAST(strftime('%s', {column}) AS INTEGER) / 900"
