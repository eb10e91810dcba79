"""Spans of time, computed by the database."""

from __future__ import annotations

from typing import Any

from django.db.models import FloatField, Func


class SecondsBetween(Func):
    """Seconds from the second expression to the first, to the millisecond."""

    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self._as(compiler, connection, "ROUND((julianday({}) - julianday({})) * 86400.0, 3)")

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self._as(compiler, connection, "ROUND(EXTRACT(EPOCH FROM {} - {})::numeric, 3)")

    def _as(self, compiler: Any, connection: Any, template: str) -> Any:
        parts = [compiler.compile(expression) for expression in self.get_source_expressions()]
        sql = template.format(*(part for part, _ in parts))
        return sql, tuple(value for _, values in parts for value in values)
