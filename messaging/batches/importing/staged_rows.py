"""Bulk insert of checked rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db import connection

from core.bulk_insert import insert_rows
from core.sealed_fields import seal, seal_json

from ...models import Batch, StagedRow
from .validate import CheckedRow

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


def insert(batch: Batch, run: UUID, rows: Iterable[CheckedRow]) -> None:
    """Insert the rows of one chunk. The caller opens the transaction."""
    own = StagedRow._meta.get_field("run").get_db_prep_value(run, connection)
    insert_rows(
        StagedRow._meta.db_table,
        COLUMNS,
        (
            (
                batch.pk,
                own,
                row.number,
                str(row.verdict),
                str(row.problem),
                None if row.values is None else json.dumps(seal_json(row.values)),
                seal(row.typed),
                row.recipient,
                row.country,
                seal(row.text),
                *row[8:],
            )
            for row in rows
        ),
    )
