"""Reading the options of an account as they are stored (JSON)."""

from __future__ import annotations


def lines_of(value: object) -> tuple[str, ...]:
    """The lines of a LINES option. The strings stay exactly as they were given."""
    if isinstance(value, str):
        value = value.splitlines()
    if not isinstance(value, (list, tuple)):
        return ()
    return tuple(line for line in value if isinstance(line, str) and line.strip())
