"""Operations of migrations that change indexes of large tables without rewriting the tables.

Django's own operations rewrite a whole table on SQLite to change one column's option. Indexes are
found by their columns, because Django and the databases name them differently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.migrations import RunPython, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation


def without_single_indexes(
    table: str, columns: Sequence[str], state: Sequence[Operation]
) -> SeparateDatabaseAndState:
    """Drop the indexes of only one of these columns each, with PostgreSQL's for LIKE.

    Unique ones and those that the model names stay. `state` are the operations that tell Django.
    """

    def drop(_apps: Any, editor: Any) -> None:
        for name, found in _indexes(editor, table).items():
            if found["columns"] in [[column] for column in columns] and _is_automatic(name, table):
                editor.execute(f"DROP INDEX {editor.quote_name(name)}")

    return _operation(drop, state)


def named_constraints(
    table: str, names: Mapping[str, str], state: Sequence[Operation]
) -> SeparateDatabaseAndState:
    """Turn unique columns into named constraints, so that PostgreSQL needs no index for LIKE.

    `names` has the constraint's name by column. The index of the constraint stays as it is.
    """

    def rename(_apps: Any, editor: Any) -> None:
        if editor.connection.vendor != "postgresql":
            return
        for name, found in _constraints(editor, table).items():
            column = found["columns"][0] if len(found["columns"] or ()) == 1 else ""
            if column not in names:
                continue
            if found["unique"] and not found["primary_key"] and name != names[column]:
                old, new = editor.quote_name(name), editor.quote_name(names[column])
                editor.execute(
                    f"ALTER TABLE {editor.quote_name(table)} RENAME CONSTRAINT {old} TO {new}"
                )
            elif found["index"] and not found["unique"] and name.endswith("_like"):
                editor.execute(f"DROP INDEX {editor.quote_name(name)}")

    return _operation(rename, state)


def _operation(
    change: Callable[[Any, Any], None], state: Sequence[Operation]
) -> SeparateDatabaseAndState:
    return SeparateDatabaseAndState(
        database_operations=[RunPython(change, RunPython.noop)], state_operations=state
    )


def _is_automatic(name: str, table: str) -> bool:
    """Whether Django named the index. The names that a model gives do not begin with the table."""
    return name.startswith(table[:11])


def _indexes(editor: Any, table: str) -> dict[str, dict[str, Any]]:
    return {
        name: found
        for name, found in _constraints(editor, table).items()
        if found["index"] and not found["unique"] and not found["primary_key"]
    }


def _constraints(editor: Any, table: str) -> dict[str, dict[str, Any]]:
    with editor.connection.cursor() as cursor:
        found: dict[str, dict[str, Any]] = editor.connection.introspection.get_constraints(
            cursor, table
        )
    return found
