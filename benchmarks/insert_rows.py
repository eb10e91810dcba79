"""Fill a table by one statement. A column is an SQL expression of `n`, the number of the row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

Columns = Mapping[str, str]


@dataclass
class Span:
    """The time over which the rows of every table are spread, until now."""

    days: float = 0.0


span: Final = Span()


def insert(model: Any, rows: int, columns: Columns) -> None:
    """Insert `rows` rows. A column is an SQL expression of `n`; the others have their defaults."""
    filled = {field.column: _default(field) for field in model._meta.concrete_fields}
    filled |= {"id": "n", **columns}
    numbers = (
        f"generate_series(1, {rows}) AS numbers (n)"
        if connection.vendor == "postgresql"
        else "(WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers"
        f" WHERE n < {rows}) SELECT n FROM numbers)"
    )
    wanted = ", ".join(f'"{name}"' for name in filled)
    values = ", ".join(filled.values())
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({wanted}) SELECT {values} FROM {numbers}")
        if connection.vendor == "postgresql":
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {rows})")


def _default(field: Any) -> str:
    kind = field.get_internal_type()
    if field.null:
        return "NULL"
    if kind == "BooleanField":
        return "FALSE"
    if kind == "JSONField":
        return "'[]'"
    if kind in ("DateTimeField",):
        return _now()
    if kind == "BinaryField":
        # In SQLite, '' would be a text.
        return "''" if connection.vendor == "postgresql" else "x''"
    if "Integer" in kind or kind in ("FloatField", "DecimalField", "ForeignKey"):
        return str(field.default) if isinstance(field.default, int) else "0"
    return "''"


def _now() -> str:
    return ago("0", 1)


def ago(number: str, rows: int) -> str:
    """The time of row `number` of `rows`: the last one is the newest."""
    seconds = f"((({rows} - {number}) * {span.days * 86400.0}) / {rows})"
    if number == "0":
        seconds = "0"
    if connection.vendor == "postgresql":
        return f"now() - {seconds} * interval '1 second'"
    return f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || {seconds} || ' seconds')"


def text(prefix: str, expression: str = "n") -> str:
    return f"'{prefix}' || ({expression})"


def pad(prefix: str, digits: int, expression: str = "n") -> str:
    if connection.vendor == "postgresql":
        return f"'{prefix}' || lpad(({expression})::text, {digits}, '0')"
    return f"'{prefix}' || printf('%0{digits}d', {expression})"


def one_of(choices: Mapping[str, int], expression: str = "n") -> str:
    """A choice by its share in a hundred."""
    place, cases, end = f"(({expression}) * 37 % 100)", "", 0
    for choice, share in choices.items():
        end += share
        cases += f" WHEN {place} < {end} THEN '{choice}'"
    return f"CASE{cases} ELSE '{next(iter(choices))}' END"
