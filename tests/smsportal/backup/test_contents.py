"""What is in a database, by plain SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from smsportal.backup.contents import SQLITE_TABLES, Contents, describe, examine


@pytest.fixture
def opened() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        yield connection


def examined(opened: sqlite3.Connection) -> Contents:
    return examine(lambda query: opened.execute(query).fetchall(), SQLITE_TABLES)


def test_database_without_tables_is_empty_and_no_portal(opened: sqlite3.Connection) -> None:
    found = examined(opened)
    assert found == Contents({}, {}, None, [])
    assert found.is_empty
    assert not found.is_portal


def test_main_tables_show_how_recent_the_database_is(opened: sqlite3.Connection) -> None:
    opened.execute("CREATE TABLE messaging_message (id INTEGER PRIMARY KEY, created_at TEXT)")
    opened.execute("CREATE TABLE other (id INTEGER PRIMARY KEY)")
    opened.execute("INSERT INTO messaging_message VALUES (3, '2026-01-02 03:04:05.678')")
    opened.execute("INSERT INTO messaging_message VALUES (9, '2026-01-01 00:00:00')")
    found = examined(opened)
    assert found.counts == {"messaging_message": 2, "other": 0}
    assert found.newest == {"messaging_message": {"id": 9, "at": "2026-01-02T03:04:05+00:00"}}
    assert not found.is_empty


def test_rows_that_migrations_made_are_no_data(opened: sqlite3.Connection) -> None:
    opened.execute("CREATE TABLE auth_group (id INTEGER PRIMARY KEY)")
    opened.execute("INSERT INTO auth_group VALUES (1)")
    assert examined(opened).is_empty


def test_description_counts_in_words() -> None:
    counts = {"messaging_message": 1200, "messaging_batch": 1}
    text = describe(counts, {"messaging_message": {"id": 1, "at": "2026-01-02"}})
    assert text.startswith("1,200 messages, 1 batch, 0 code sessions")
    assert text.endswith("; the newest is of 2026-01-02")
