"""Every session makes its commits durable, whatever the server's default is."""

from __future__ import annotations

import time

import pytest
from django.db import DatabaseError, connection

from core.database_sessions import synced_by_next_commit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


def show(setting: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(setting)
        return cursor.fetchone()[0]


def test_commits_are_synced() -> None:
    """The test server's own default is synchronous_commit=off."""
    connection.close()
    if connection.vendor == "sqlite":
        assert show("PRAGMA synchronous") == 2
        assert show("PRAGMA journal_mode") == "wal"
    else:
        assert show("SELECT current_setting('synchronous_commit')") == "on"
        assert show("SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'") == "off"


def test_read_only_session_is_replaced_at_the_end_of_a_request() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("on PostgreSQL only")
    show("SELECT set_config('default_transaction_read_only', 'on', false)")
    with pytest.raises(DatabaseError, match="read-only"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_session")
    assert connection.close_at is not None
    assert connection.close_at <= time.monotonic()
    connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_session")


def test_results_are_synced_by_the_next_commit_and_everything_else_at_once() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("on SQLite only")
    with synced_by_next_commit():
        assert show("PRAGMA synchronous") == 1
    assert show("PRAGMA synchronous") == 2


def test_connection_that_cannot_be_set_back_is_replaced() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("on SQLite only")
    with synced_by_next_commit():
        connection.connection.close()
    assert show("PRAGMA synchronous") == 2
