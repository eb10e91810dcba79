"""An unusable database is one line: the setting, where it was read, and the server's reason."""

from __future__ import annotations

import pytest
from django.db import OperationalError, ProgrammingError, connection

from smsportal.configuration import environment
from smsportal.startup.database_errors import explain

REFUSED = """connection failed: connection to server at "10.0.0.7", port 5432 failed: \
Connection refused
\tIs the server running on that host and accepting TCP/IP connections?"""
PASSWORD = """Multiple connection attempts failed. All failures were:
- host: 'db', port: '5432', hostaddr: '10.0.0.7': connection failed: connection to server at \
"10.0.0.7", port 5432 failed: FATAL:  password authentication failed for user "portal"
connection to server at "10.0.0.7", port 5432 failed: FATAL:  no encryption"""


@pytest.fixture(autouse=True)
def source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(environment.SOURCES, "DATABASE_URL", "/srv/portal/.env")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (REFUSED, "Connection refused"),
        (PASSWORD, "FATAL:  no encryption"),
        ('connection failed: FATAL:  database "portal" does not exist', "does not exist"),
        ("unable to open database file", "unable to open database file"),
        ("", "OperationalError"),
    ],
)
def test_line_names_the_setting_its_file_and_the_reason(text: str, reason: str) -> None:
    line = explain(OperationalError(text))
    assert line.startswith("DATABASE_URL (from /srv/portal/.env): the database cannot be used: ")
    assert reason in line
    assert "\n" not in line


def test_sqlite_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("about SQLite")
    line = explain(OperationalError("unable to open database file"))
    assert str(connection.settings_dict["NAME"]) in line
    assert "user id" in line


@pytest.mark.parametrize(
    "text", ["no such table: core_keycheck", 'relation "core_keycheck" does not exist\nLINE 1: …']
)
def test_missing_tables_are_a_case_for_migrate(text: str) -> None:
    assert "Run `manage.py migrate`" in explain(ProgrammingError(text))
