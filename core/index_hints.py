"""Keep SQLite, which has no statistics, from an index that finds many rows."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import F, Model, QuerySet

Row = TypeVar("Row", bound=Model)


def of_account(rows: QuerySet[Row], account: int, path: str = "account_id") -> QuerySet[Row]:
    """Those of `rows` that belong to this account, found by their other conditions.

    No index has the sum, so that SQLite does not read all rows of the account first.
    """
    found: QuerySet[Any] = rows.annotate(owner=F(path) + 0).filter(owner=account)
    return found
