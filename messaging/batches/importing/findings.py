"""Describe what was read from a file, so that staff can see it before anything costs money."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from core.phones.parse import DOT, mask

from ...models import Batch, Message
from ..choices import Choices
from .cell_places import letters
from .columns import Columns
from .encodings import label_of
from .oddities import OddityCount, recent_countries, warning
from .tables import Table
from .xlsx_values import NumberedRow

SHOWN_ROWS: Final = 6
SHOWN_COLUMNS: Final = 12
LONGEST_SHOWN: Final = 40
HISTORY: Final = 5_000
"""The latest messages that are looked at for the countries of an account."""
_LONG_NUMBER: Final = re.compile(r"\d(?:[\s.-]?\d){6,}")


def findings_of(
    table: Table, columns: Columns, sample: Sequence[NumberedRow], choices: Choices
) -> dict[str, Any]:
    """What is known before the rows are read. Holds no personal data."""
    encoding = table.encoding
    found: dict[str, Any] = {
        "heading_row": 0 if columns.heading is None else sample[columns.heading][0],
        "first_rows": [number for number, _ in sample[:SHOWN_ROWS]],
        "candidates": columns.candidates,
        "is_named": columns.is_named,
        "sheets": table.sheets,
        "sheet": table.sheet,
        "left_out_hidden": choices.leave_out_hidden,
    }
    if encoding is not None:
        found["encoding"] = encoding.name
        found["is_guess"] = encoding.is_guess
        found["letters"] = encoding.letters
        found["encodings"] = [one.encoding for one in encoding.readings]
    return found


def sample_of(table: Table, columns: Columns, sample: Sequence[NumberedRow]) -> dict[str, Any]:
    """The first rows as they were read, with masked numbers. Kept until the batch starts."""
    heading = columns.heading
    may_be_numbers = {columns.number, *columns.candidates}
    rows = [
        {
            "number": number,
            "is_heading": index == heading,
            "cells": [
                _shown(cell, is_number=place in may_be_numbers and index != heading)
                for place, cell in enumerate(cells[:SHOWN_COLUMNS])
            ],
        }
        for index, (number, cells) in enumerate(sample[: (heading or 0) + SHOWN_ROWS])
    ]
    readings = table.encoding.readings if table.encoding is not None else ()
    return {
        "rows": rows[-2 * SHOWN_ROWS :],
        "letters": [letters(index) for index in range(min(len(columns.names), SHOWN_COLUMNS))],
        "readings": [
            {
                "encoding": one.encoding,
                "label": label_of(one.encoding),
                "lines": [_masked(line) for line in one.lines],
            }
            for one in readings
        ],
    }


def _shown(cell: str, *, is_number: bool) -> str:
    if is_number and any(sign.isdigit() for sign in cell):
        return mask(cell.strip())[:LONGEST_SHOWN]
    return _masked(cell)


def _masked(text: str) -> str:
    return _LONG_NUMBER.sub(DOT * 4, text)[: 2 * LONGEST_SHOWN]


def add_results(
    found: dict[str, Any], batch: Batch, table: Table, oddities: OddityCount, *, fills: bool
) -> dict[str, Any]:
    """Add what is known once all rows are read. `fills`: the text uses columns of the file."""
    facts = table.facts()
    found = {
        **found,
        "hidden_rows": facts.hidden_rows,
        "hidden_ranges": facts.hidden_ranges,
        "hidden_columns": sorted(facts.hidden_columns),
        "merged": facts.merges.count,
        "merged_places": facts.merges.places,
        "merged_filled": True,
    }
    warnings = [*_about_the_file(found, batch, fills), *_about_rows(batch, oddities)]
    return {**found, "warnings": warnings}


def _about_the_file(found: dict[str, Any], batch: Batch, fills: bool) -> list[dict[str, Any]]:
    number, names = batch.number_column, batch.columns
    warnings = []
    if found["hidden_rows"] and not found["left_out_hidden"]:
        values = {"count": found["hidden_rows"], "ranges": found["hidden_ranges"]}
        warnings.append(warning("hidden_rows", values))
    if number in found["hidden_columns"]:
        warnings.append(warning("hidden_column", {"column": names[number]}))
    if found.get("is_guess") and fills:
        warnings.append(warning("encoding", {"encoding": label_of(found["encoding"])}))
    if not found["is_chosen"] and not found["is_named"] and found["candidates"]:
        others = [names[index] for index in found["candidates"]]
        warnings.append(warning("column", {"column": names[number], "others": others}))
    return warnings


def _about_rows(batch: Batch, oddities: OddityCount) -> list[dict[str, Any]]:
    latest = Message.objects.order_by("-created_at", "-pk").values_list("account_id", "country")
    recent = recent_countries(list(latest[:HISTORY]), batch.account_id)
    return oddities.warnings(recent)
