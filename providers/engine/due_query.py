"""Find accounts with due rows. The query runs many times a second, so its SQL is built once.

The ORM takes several times as long to build such a query as the database to answer it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import BaseExpression
from django.db.models.sql.compiler import SQLCompiler

_WORD: Final = re.compile(r"[a-z_]+")
_TIME: Final[models.DateTimeField[Any, Any]] = models.DateTimeField()


class _Placeholder(BaseExpression):
    """A query parameter whose value is filled in when the query runs."""

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class Moment(_Placeholder):
    """The time at which the query runs, plus an offset."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        super().__init__(output_field=_TIME)
        self.offset = offset

    def __add__(self, span: timedelta) -> Moment:
        return Moment(self.offset + span)

    def __sub__(self, span: timedelta) -> Moment:
        return Moment(self.offset - span)


class _AccountId(_Placeholder):
    def __init__(self) -> None:
        super().__init__(output_field=models.BigIntegerField())


class DueAccounts:
    """Finds the accounts with due rows.

    `due` returns the rows that are due at a moment. `account` is the path from a row to the id of
    its account.
    """

    def __init__(
        self, due: Callable[[Moment], models.QuerySet[Any]], account: str = "account__id"
    ) -> None:
        self._due = due
        self._account = account
        self._queries: dict[int, tuple[str, tuple[Any, ...]]] = {}
        """SQL and parameters by the number of accounts."""

    def among(self, accounts: Collection[int], now: datetime) -> set[int]:
        """Those of `accounts` that have rows due at `now`."""
        if not accounts:
            return set()
        query = self._queries.get(len(accounts))
        if query is None:
            query = self._queries[len(accounts)] = self._build_query(len(accounts))
        statement, placeholders = query
        with connection.cursor() as cursor:
            cursor.execute(statement, _fill_in(placeholders, accounts, now))
            return {account_id for (account_id,) in cursor.fetchall()}

    def _build_query(self, number: int) -> tuple[str, tuple[Any, ...]]:
        is_among = {f"{self._account}__in": [_AccountId() for _ in range(number)]}
        rows = self._due(Moment()).filter(**is_among)
        query = rows.order_by().values_list(self._account, flat=True).distinct().query
        return _inline_states(*query.sql_with_params())


def _inline_states(statement: str, values: Collection[Any]) -> tuple[str, tuple[Any, ...]]:
    """Write the states into the statement itself. SQLite uses a partial index only then."""
    text, *texts = statement.split("%s")
    left = []
    for value, following in zip(values, texts, strict=True):
        if isinstance(value, str) and _WORD.fullmatch(value):
            text += f"'{value}'{following}"
        else:
            left.append(value)
            text += f"%s{following}"
    return text, tuple(left)


def _fill_in(placeholders: Collection[Any], accounts: Collection[int], now: datetime) -> list[Any]:
    left = iter(accounts)
    values = []
    for placeholder in placeholders:
        if isinstance(placeholder, Moment):
            values.append(_TIME.get_db_prep_value(now + placeholder.offset, connection))
        else:
            values.append(next(left) if isinstance(placeholder, _AccountId) else placeholder)
    return values
