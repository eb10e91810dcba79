"""Tables of states written out as text, so that a test can say the whole of one."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from core.states import StateTable


def written_out(table: StateTable[Any]) -> str:
    """One line a state: `queued -> cancelled claimed`."""
    rows = {str(state): sorted(map(str, targets)) for state, targets in table.moves.items()}
    return "\n".join(f"{state} -> {' '.join(rows[state])}".rstrip() for state in sorted(rows))


def table_text(text: str) -> str:
    """The same of a text in a test, whose lines may be indented and in any order."""
    return "\n".join(sorted(dedent(text).strip().splitlines()))
