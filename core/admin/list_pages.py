"""Count and read one page of a list, however many rows its table has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib.admin.views.main import ORDER_VAR
from django.db import connections
from django.db.models import QuerySet

MOST_COUNTED: Final = 10_000
"""Rows that a list counts, and pages through. Its other order leads to the end."""


class Count(int):
    """A number of rows, up to `MOST_COUNTED` and one more for any that are left."""

    @property
    def is_open(self) -> bool:
        return self > MOST_COUNTED

    def __str__(self) -> str:
        return f"{MOST_COUNTED:,}+" if self.is_open else super().__repr__()


def counted(*parts: QuerySet[Any]) -> Count:
    """How many rows these disjoint parts have, counted only as far as a list shows it."""
    total = 0
    for part in parts:
        total += part.order_by()[: MOST_COUNTED + 1 - total].count()
        if total > MOST_COUNTED:
            break
    return Count(total)


def most_pages(per_page: int) -> int:
    return max(MOST_COUNTED // per_page, 1)


def page_of(parts: Sequence[QuerySet[Any]], rows: QuerySet[Any], first: int, end: int) -> list[Any]:
    """The rows from `first` to before `end` of disjoint parts that have the same ordering.

    Their keys are read first, from an index alone and without the tables that `rows` joins.
    """
    keys = _keys(parts, end)[first:end]
    found = {row.pk: row for row in rows.filter(pk__in=keys).order_by()} if keys else {}
    return [found[key] for key in keys if key in found]


def _keys(parts: Sequence[QuerySet[Any]], end: int) -> list[Any]:
    if len(parts) == 1:
        return list(parts[0].values_list("pk", flat=True)[:end])
    ordering = [str(name) for name in parts[0].query.order_by]
    names = [name.removeprefix("-") for name in ordering]
    read = [line for part in parts for line in part.values_list("pk", *names)[:end]]
    null_is_largest = connections[parts[0].db].features.nulls_order_largest
    # Stable sorts, so that the last one is by the first name.
    for place in range(len(ordering), 0, -1):
        read.sort(
            key=lambda line: (
                ((line[place] is None) == null_is_largest, line[place])
                if line[place] is not None
                else (null_is_largest,)
            ),
            reverse=ordering[place - 1].startswith("-"),
        )
    return list(dict.fromkeys(line[0] for line in read))


def indexed_ordering(changelist: Any, usual: list[str]) -> list[str]:
    """The ordering of a list whose table is large: as usual, or its reverse.

    Only the column of the time is sortable. With another one first, no filter would have an index.
    """
    chosen = str(changelist.params.get(ORDER_VAR, "")).split(".")[0]
    _, minus, place = chosen.rpartition("-")
    if not place.isdecimal() or not int(place) < len(changelist.list_display):
        return usual
    column = changelist.list_display[int(place)]
    is_usual = usual[0].startswith("-") == bool(minus)
    return (
        usual
        if is_usual or column not in changelist.model_admin.sortable_by
        else [name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in usual]
    )
