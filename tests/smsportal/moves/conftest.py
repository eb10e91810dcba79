"""A filled SQLite database, and an empty one on the server that the tests use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker, Settings

from smsportal.environment import BASE_DIR
from smsportal.moves import move
from tests.smsportal.moves.quick_tables import make_tables
from tests.upgrade import databases


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


@pytest.fixture
def target(
    data: Path, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Connect the test to an empty PostgreSQL database."""
    monkeypatch.setattr(move, "make_tables", make_tables)
    name = f"test_move_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    with django_db_blocker.unblock():
        databases.create(name, "template0")
        with databases.connected(name):
            yield
            connection.close()
        databases.drop(name)
