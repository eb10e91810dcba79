"""Empty the database after a test that commits.

Django's flush empties every table and recreates all permissions, roles and schedules. That takes a
quarter of a second for each of many hundred tests. Here the rows that migrations made stay, unless
the test changed them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

from audit import triggers

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
"""Tables filled by migrations. No test leaves rows in them that need cleaning."""
COMPARED_COLUMNS: Final = {"django_q_schedule": "name, func, schedule_type, minutes, repeats"}
"""The columns to compare in a table that also has times."""

_baseline: dict[str, dict[str, list[Any]]] = {}
_tables: dict[str, list[str]] = {}


def record_baseline() -> None:
    """Record the tables, and the rows of the kept ones, before the first test."""
    for alias in connections:
        _tables[alias] = connections[alias].introspection.table_names()
        _baseline[alias] = _kept_rows(connections[alias])


def install() -> None:
    """Replace Django's flush after each test that manages its own transactions."""
    case_class: Any = TransactionTestCase
    flush = case_class._fixture_teardown

    def teardown(case: TransactionTestCase) -> None:
        empty_or_flush(lambda: flush(case))

    case_class._fixture_teardown = teardown


def empty_or_flush(flush: Callable[[], None]) -> None:
    for alias in connections:
        connection = connections[alias]
        if alias not in _baseline or _kept_rows(connection) != _baseline[alias]:
            with _unguarded(connection):
                flush()
            _baseline[alias] = _kept_rows(connection)
            return
        with _unguarded(connection):
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
            # Foreign keys are checked at the end of the transaction, so any order works.
            cursor.execute(f"DELETE FROM {quote(name)}")


@contextmanager
def _unguarded(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let the rows of the audit log be deleted, if there are any."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM core_act) OR EXISTS (SELECT 1 FROM audit_seal)"
        )
        is_used = cursor.fetchone() is not None
    if is_used:
        triggers.remove()
    yield
    if is_used:
        triggers.install()


def _kept_rows(connection: BaseDatabaseWrapper) -> dict[str, list[Any]]:
    there = set(_tables[connection.alias]) & KEPT - {"sqlite_sequence"}
    found: dict[str, list[Any]] = {}
    with connection.cursor() as cursor:
        for name in sorted(there):
            columns = COMPARED_COLUMNS.get(name, "*")
            cursor.execute(f"SELECT {columns} FROM {connection.ops.quote_name(name)} ORDER BY 1")
            found[name] = cursor.fetchall()
    return found
