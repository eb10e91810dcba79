"""What the journal keeps of an answer that lists things: how many, and which.

The rows themselves are in the portal's own tables; kept once more for each reading they
would make most of the journal, and hold every number that an account has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rows:
    """Where an answer's rows stand, and which field of each is its id."""

    key: str
    id: str


def summary_of(body: bytes, rows: Rows) -> str | None:
    """The answer with its rows counted and named; None where it is no such list, so that
    what is odd about it is kept as it came."""
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
