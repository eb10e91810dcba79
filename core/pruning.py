"""Deletes expired rows."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet

CHUNK: Final = 2_000


def delete_in_chunks(rows: QuerySet[Any]) -> int:
    """Delete `rows` in chunks, so that no lock is held for long. Returns the number deleted."""
    deleted = 0
    while chunk := list(rows.order_by().values_list("pk", flat=True)[:CHUNK]):
        deleted += rows.model._default_manager.filter(pk__in=chunk).delete()[0]
    return deleted
