"""Summarise list answers for the journal: the number of rows and their ids.

The rows themselves are in the portal's tables. Kept again for each reading, they would make up
most of the journal and contain every number of an account.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rows:
    """The key of an answer's rows, and the field of a row that is its id."""

    key: str
    id: str


def summary_of(body: str | bytes, rows: Rows) -> str | None:
    """The answer with its rows replaced by their number and ids, as JSON.

    None if the answer is not such a list. The journal then keeps it as received.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, Mapping):
        return None
    listed = answer.get(rows.key)
    if not isinstance(listed, list) or not all(isinstance(row, Mapping) for row in listed):
        return None
    rest = {key: value for key, value in answer.items() if key != rows.key}
    if any(isinstance(value, list | dict) for value in rest.values()):
        return None
    named = {"rows": len(listed), "ids": [_plain(row.get(rows.id)) for row in listed]}
    return json.dumps({**rest, rows.key: named}, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int) else None
