"""Deleting what is past its time."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet

CHUNK: Final = 2_000


def delete_in_chunks(rows: QuerySet[Any]) -> int:
    """Delete these rows, in chunks that hold no lock for long; returns how many went."""
    deleted = 0
    while chunk := list(rows.order_by().values_list("pk", flat=True)[:CHUNK]):
        deleted += rows.model._default_manager.filter(pk__in=chunk).delete()[0]
    return deleted
