"""The migrations to come, with the cost of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from django.db import connection, migrations
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation

from smsportal.backup import manifest

from .costs import RATES, Cost, Size, Wait, cost_of

CONTRACTS: Final = (
    migrations.RemoveField,
    migrations.DeleteModel,
    migrations.RenameField,
    migrations.RenameModel,
    migrations.AlterModelTable,
)
"""What takes away what the version before uses. It may come a release later only."""


@dataclass(slots=True)
class Step:
    """One migration."""

    name: str
    costs: list[Cost] = field(default_factory=list)
    contracts: list[str] = field(default_factory=list)
    """What the version before would miss."""
    unclear: str = ""
    """Why its cost cannot be told."""

    @property
    def seconds(self) -> float:
        return sum(cost.seconds for cost in self.costs)

    @property
    def space(self) -> int:
        return sum(cost.space for cost in self.costs)


def steps() -> list[Step]:
    """In the order in which they will run. Only reads the database."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [_step(executor, migration) for migration, _ in plan]


def unknown_migrations() -> list[str]:
    """Those that a newer version has applied."""
    loader = MigrationExecutor(connection).loader
    return manifest.unknown_migrations(f"{app}.{name}" for app, name in loader.applied_migrations)


def _step(executor: MigrationExecutor, migration: Migration) -> Step:
    step = Step(f"{migration.app_label}.{migration.name}")
    step.contracts = list(_contracts(migration))
    try:
        statements = executor.loader.collect_sql([(migration, False)])
    except Exception as error:  # noqa: BLE001 - some need what an earlier one of them makes
        step.unclear = f"its statements are known only then ({type(error).__name__})"
        statements = []
    on_sqlite = connection.vendor == "sqlite"
    found = (cost_of(statement.strip(), size_of, on_sqlite) for statement in statements)
    step.costs = [cost for cost in found if cost is not None]
    if rows := _rows_for_python(migration):
        step.costs.append(
            Cost("may be changed row by row", "", RATES.python * rows, 0, Wait.WRITES)
        )
    return step


def _contracts(migration: Migration) -> Iterable[str]:
    for operation in migration.operations:
        if isinstance(operation, CONTRACTS) and (table := _table_of(migration, operation)):
            yield f"{operation.describe()} ({table})"


def _table_of(migration: Migration, operation: Operation) -> str:
    """The table of an operation, if it exists already. Otherwise nobody uses it yet."""
    named: Any = operation
    model = getattr(named, "model_name", None) or getattr(named, "old_name", None) or named.name
    table = f"{migration.app_label}_{model.lower()}"
    return table if table in present_tables() else ""


def _rows_for_python(migration: Migration) -> int:
    """At most the rows of its app and of those that it depends on: what a function reads cannot be
    seen."""
    if not any(isinstance(one, migrations.RunPython) for one in migration.operations):
        return 0
    apps = {migration.app_label, *(app for app, _ in migration.dependencies)}
    starts = tuple(f"{app}_" for app in apps)
    return sum(size_of(table).rows for table in present_tables() if table.startswith(starts))


@cache
def present_tables() -> frozenset[str]:
    return frozenset(connection.introspection.table_names())


@cache
def size_of(table: str) -> Size:
    """An estimate that reads no table through. New tables are empty."""
    if table not in present_tables():
        return Size(0, 0)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            quoted = connection.ops.quote_name(table)
            cursor.execute(f"SELECT max(rowid) FROM {quoted}")  # noqa: S608
            rows = int(cursor.fetchone()[0] or 0)
            return Size(rows, _share_of_file(rows))
        cursor.execute(
            "SELECT greatest(reltuples, 0)::bigint, pg_total_relation_size(oid)"
            " FROM pg_class WHERE oid = %s::regclass",
            [connection.ops.quote_name(table)],
        )
        rows, size = cursor.fetchone()
        return Size(int(rows), int(size))


def forget_sizes() -> None:
    present_tables.cache_clear()
    size_of.cache_clear()
    _rows_of_all.cache_clear()


@cache
def _rows_of_all() -> int:
    total = 0
    with connection.cursor() as cursor:
        for table in present_tables():
            cursor.execute(f"SELECT max(rowid) FROM {connection.ops.quote_name(table)}")  # noqa: S608
            total += int(cursor.fetchone()[0] or 0)
    return total


def _share_of_file(rows: int) -> int:
    """SQLite does not know the size of a table, so by rows, and generously."""
    return 2 * database_size() * rows // max(_rows_of_all(), 1)


def database_size() -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA page_count")
            pages = cursor.fetchone()[0]
            cursor.execute("PRAGMA page_size")
            return int(pages * cursor.fetchone()[0])
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])
