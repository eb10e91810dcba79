"""Writing many checked rows at once. SQL, since the ORM takes longer to put such a statement
together than the database takes to carry it out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db import connection

from ..models import Batch, StagedRow
from .checking import Checked

COLUMNS: Final = (
    "batch_id",
    "run",
    "number",
    "verdict",
    "problem",
    "values",
    "typed",
    "recipient",
    "country",
    "text",
    "segments",
    "encoding",
    "again_from_id",
)


def insert(batch: Batch, run: UUID, rows: Iterable[Checked]) -> None:
    """Inside the caller's transaction."""
    columns = ", ".join(f'"{column}"' for column in COLUMNS)
    places = ", ".join(["%s"] * len(COLUMNS))
    statement = f"INSERT INTO messaging_stagedrow ({columns}) VALUES ({places})"  # noqa: S608 - ours
    field = StagedRow._meta.get_field("run")
    own = field.get_db_prep_value(run, connection)
    with connection.cursor() as cursor:
        cursor.executemany(
            statement,
            [
                (
                    batch.pk,
                    own,
                    row.number,
                    str(row.verdict),
                    str(row.problem),
                    None if row.values is None else json.dumps(row.values),
                    *row[4:],
                )
                for row in rows
            ],
        )
