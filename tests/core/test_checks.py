"""What an installation must have."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from core.checks import sqlite_is_new_enough


@pytest.mark.parametrize(
    ("engine", "version", "errors"),
    [
        ("django.db.backends.sqlite3", (3, 34, 1), ["core.E001"]),
        ("django.db.backends.sqlite3", (3, 35, 0), []),
        ("django.db.backends.postgresql", (3, 31, 0), []),
    ],
)
def test_an_old_sqlite_is_named_before_the_portal_starts(
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    version: tuple[int, int, int],
    errors: list[str],
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", engine)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert [error.id for error in sqlite_is_new_enough()] == errors
