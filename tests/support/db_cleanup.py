"""Emptying the database after a test that committed what it wrote.

Django's way empties every table and then has all permissions, roles and schedules made anew,
which takes a quarter of a second for each of many hundred tests. What migrations made is left
alone here, as long as the test left it alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

KEPT: Final = frozenset(
    {
        "django_migrations",
        "django_content_type",
        "auth_permission",
        "auth_group",
        "auth_group_permissions",
        "django_q_schedule",
        "rentals_project",
        "rentals_region",
        "sqlite_sequence",
    }
)
"""Filled after migrations, and by nothing that a test need leave behind."""
COMPARED_COLUMNS: Final = {"django_q_schedule": "name, func, schedule_type, minutes, repeats"}
"""What is compared of a table that holds times as well."""

_baseline: dict[str, dict[str, list[Any]]] = {}
_tables: dict[str, list[str]] = {}


def record_baseline() -> None:
    """What stands in the kept tables before the first test, and which tables there are."""
    for alias in connections:
        _tables[alias] = connections[alias].introspection.table_names()
        _baseline[alias] = _kept_rows(connections[alias])


def install() -> None:
    """Put this in the place of the flush after each test with transactions of its own."""
    case_class: Any = TransactionTestCase
    flush = case_class._fixture_teardown

    def teardown(case: TransactionTestCase) -> None:
        empty_or_flush(lambda: flush(case))

    case_class._fixture_teardown = teardown


def empty_or_flush(flush: Callable[[], None]) -> None:
    for alias in connections:
        connection = connections[alias]
        if alias not in _baseline or _kept_rows(connection) != _baseline[alias]:
            flush()
            _baseline[alias] = _kept_rows(connection)
            return
        _empty(connection)


def _empty(connection: BaseDatabaseWrapper) -> None:
    names = [name for name in _tables[connection.alias] if name not in KEPT]
    quote = connection.ops.quote_name
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        statement = " UNION ALL ".join(
            f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {quote(name)})" for name in names
        )
        cursor.execute(statement)
        for (name,) in cursor.fetchall():
            # References are checked at the end of the transaction, so any order will do.
            cursor.execute(f"DELETE FROM {quote(name)}")


def _kept_rows(connection: BaseDatabaseWrapper) -> dict[str, list[Any]]:
    there = set(_tables[connection.alias]) & KEPT - {"sqlite_sequence"}
    found: dict[str, list[Any]] = {}
    with connection.cursor() as cursor:
        for name in sorted(there):
            columns = COMPARED_COLUMNS.get(name, "*")
            cursor.execute(f"SELECT {columns} FROM {connection.ops.quote_name(name)} ORDER BY 1")
            found[name] = cursor.fetchall()
    return found
