"""What was read from a file, on the check page and again on the confirm page."""

from __future__ import annotations

from typing import Any, Final

from core.countries import country_name
from core.phones.parse import DOT

from ..batches.importing.cell_places import letters
from ..models import Batch, StagedRow
from ..presentation.reading_texts import facts_of, warnings_of

FIRST_RECIPIENTS: Final = 5


def reading_context(batch: Batch, *, whole: bool) -> dict[str, Any]:
    """`whole`: whether the reader may see the other cells of the file. Numbers stay masked."""
    found = batch.findings or {}
    return {
        "reading_facts": facts_of(batch),
        "sheet_rows": _sheet_rows(batch, whole) if batch.sample else [],
        "sheet_letters": (batch.sample or {}).get("letters", []),
        "number_letter": letters(batch.number_column) if batch.number_column is not None else "",
        "readings": _readings(batch) if whole and found.get("is_guess") else [],
        "first_recipients": list(_first_recipients(batch)),
        "warnings": warnings_of(batch),
    }


def _sheet_rows(batch: Batch, may_see_cells: bool) -> list[dict[str, Any]]:
    """The first rows of the sheet; each cell with whether it is of the number column."""
    number = batch.number_column
    sample = batch.sample or {}
    hidden = (batch.findings or {}).get("hidden_ranges", [])
    rows = []
    for row in sample["rows"]:
        cells = row["cells"] + [""] * (len(sample["letters"]) - len(row["cells"]))
        may_see_row = may_see_cells or row["is_heading"]
        rows.append(
            {
                "number": row["number"],
                "is_heading": row["is_heading"],
                "is_hidden": any(first <= row["number"] <= last for first, last in hidden),
                "cells": [
                    (
                        cell if may_see_row or index == number else DOT * min(len(cell), 4),
                        index == number,
                    )
                    for index, cell in enumerate(cells)
                ],
            }
        )
    return rows


def _readings(batch: Batch) -> list[dict[str, Any]]:
    """The first lines with letters beyond ASCII in each possible encoding."""
    current = (batch.findings or {}).get("encoding")
    readings = (batch.sample or {}).get("readings", [])
    return [{**one, "is_current": one["encoding"] == current} for one in readings]


def _first_recipients(batch: Batch) -> list[dict[str, Any]]:
    good = StagedRow.objects.filter(batch=batch, verdict=StagedRow.Verdict.GOOD).order_by("pk")
    hidden = (batch.findings or {}).get("hidden_ranges", [])
    return [
        {
            "row": row.number,
            "recipient": row.recipient,
            "country": country_name(row.country),
            "segments": row.segments,
            "is_hidden": any(first <= row.number <= last for first, last in hidden),
        }
        for row in good[:FIRST_RECIPIENTS]
    ]
