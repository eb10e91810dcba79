"""Count what is in a database, by plain SQL, so that any copy of any version can be counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

Read = Callable[[str], list[tuple[Any, ...]]]
"""Runs a query on some database and returns the rows."""

SQLITE_TABLES: Final = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
)
POSTGRESQL_TABLES: Final = (
    "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
    " AND relkind = 'r' AND pg_has_role(relowner, 'USAGE') ORDER BY relname"
)
MAIN: Final = {
    "messaging_message": "created_at",
    "messaging_batch": "created_at",
    "otp_session": "created_at",
    "rentals_order": "created_at",
    "providers_call": "started_at",
    "providers_callback": "received_at",
}
"""The tables that show how recent a database is, with the column of their time."""
WORDS: Final = {
    "messaging_message": ("message", "messages"),
    "messaging_batch": ("batch", "batches"),
    "otp_session": ("code session", "code sessions"),
    "rentals_order": ("rented number", "rented numbers"),
    "providers_account": ("account", "accounts"),
    "auth_user": ("user", "users"),
}


@dataclass(frozen=True, slots=True)
class Contents:
    counts: dict[str, int]
    newest: dict[str, dict[str, Any]]
    fence: dict[str, Any] | None
    migrations: list[str]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that a person or a provider has put there."""
        return not any(self.counts.get(table) for table in (*WORDS, *MAIN))

    @property
    def is_portal(self) -> bool:
        return "providers_tasklease" in self.counts


def describe(counts: dict[str, int], newest: dict[str, dict[str, Any]]) -> str:
    """ "12 messages, 1 batch, …; the newest is of 2026-11-29T01:30:00+00:00"."""
    numbers = {table: counts.get(table, 0) for table in WORDS}
    parts = [f"{number:,} {WORDS[table][number != 1]}" for table, number in numbers.items()]
    times = [one["at"] for one in newest.values() if one.get("at")]
    return ", ".join(parts) + (f"; the newest is of {max(times)}" if times else "")


def examine(read: Read, tables_query: str) -> Contents:
    tables = [str(row[0]) for row in read(tables_query)]
    counts = {table: int(read(f'SELECT count(*) FROM "{table}"')[0][0]) for table in tables}  # noqa: S608
    newest = {table: _newest(read, table) for table in MAIN if counts.get(table)}
    migrations = (
        read("SELECT app, name FROM django_migrations ORDER BY id")
        if "django_migrations" in counts
        else []
    )
    return Contents(
        counts, newest, _fence(read, counts), [f"{app}.{name}" for app, name in migrations]
    )


def _newest(read: Read, table: str) -> dict[str, Any]:
    found = read(f'SELECT max(id), max("{MAIN[table]}") FROM "{table}"')[0]  # noqa: S608
    return {"id": found[0], "at": _utc(found[1])}


def _fence(read: Read, counts: dict[str, int]) -> dict[str, Any] | None:
    if not counts.get("providers_fence"):
        return None
    rows = read("SELECT counter, identity FROM providers_fence WHERE id = 1")
    return {"counter": rows[0][0], "identity": rows[0][1]} if rows else None


def _utc(moment: object) -> str:
    """SQLite returns text without a zone, in UTC."""
    found = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="seconds")
