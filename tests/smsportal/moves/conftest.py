"""A filled SQLite database, and an empty one on the server that the tests use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker, Settings

from smsportal.backup.postgresql import STAGED
from smsportal.configuration.environment import BASE_DIR
from smsportal.moves import move
from smsportal.moves.target import Target
from tests.smsportal.moves.quick_tables import make_tables
from tests.upgrade import databases

PREPARED = "prepared"


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "portal.sqlite3"
    command = [sys.executable, "-m", "tests.smsportal.moves.make_source", str(path)]
    subprocess.run(command, cwd=BASE_DIR, check=True, capture_output=True)
    return path


@pytest.fixture
def data(tmp_path: Path, settings: Settings) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    settings.DATA_DIR, settings.STATE_DIR = folder, str(tmp_path / "state")
    return folder


@pytest.fixture
def source(filled: Path, data: Path) -> Path:
    """A copy of the filled database, which the test may change."""
    return Path(shutil.copy(filled, data / "portal.sqlite3"))


@pytest.fixture(scope="session")
def prepared(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database whose tables stand in a schema of their own, so that each move is quick."""
    name = _name("prepared")
    with django_db_blocker.unblock():
        databases.create(name, "template0")
        with databases.connected(name), connection.cursor() as cursor:
            make_tables()
            cursor.execute(f"ALTER SCHEMA public RENAME TO {PREPARED}")
            cursor.execute("CREATE SCHEMA public")
        connection.close()
    yield name
    with django_db_blocker.unblock():
        databases.drop(name)


@pytest.fixture
def target(
    prepared: str, data: Path, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Connect the test to a PostgreSQL database whose schema `public` is empty."""
    monkeypatch.setattr(move, "make_tables", take_prepared_tables)
    with django_db_blocker.unblock(), empty_target(_name("target"), prepared):
        yield


@contextmanager
def empty_target(name: str, template: str) -> Iterator[None]:
    databases.create(name, template)
    with databases.connected(name):
        yield
        connection.close()
    databases.drop(name)


def take_prepared_tables() -> None:
    Target(datetime.now(UTC))._move_all(PREPARED, STAGED)


def _name(what: str) -> str:
    return f"test_move_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}_{what}"
