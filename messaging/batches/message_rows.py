"""Writing the messages of a batch: they differ in few columns, and while they are written
nobody else can write (SQLite)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from core.bulk_insert import insert_rows
from providers.models import public_id

from ..models import Message, reference


def insert(common: Message, rows: Sequence[Mapping[str, Any]]) -> None:
    """Messages like `common`, each with values of its own by the names of the columns, and
    with ids of its own. Inside the caller's transaction."""
    fields = [field for field in Message._meta.concrete_fields if not field.primary_key]
    shared = {
        field.attname: field.get_db_prep_save(field.pre_save(common, add=True), connection)
        for field in fields
    }
    by_name = {field.attname: field for field in fields}
    values = []
    for row in rows:
        own = {
            name: by_name[name].get_db_prep_save(value, connection) for name, value in row.items()
        }
        own |= {"public_id": public_id(), "reference": reference()}
        values.append([*{**shared, **own}.values()])
    insert_rows(Message._meta.db_table, [str(field.column) for field in fields], values)
