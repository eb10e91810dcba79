"""The database of each earlier release, as dumped and as migrated with the current code."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from tests.upgrade import databases
from tests.upgrade.databases import DUMPS

RELEASES = sorted(folder.name for folder in DUMPS.iterdir())


@pytest.fixture(scope="session", params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def dumped(
    release: str, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """The dumped database of that release, for reading only."""
    with django_db_blocker.unblock():
        name = databases.load(release, tmp_path_factory.mktemp("dump"), _database_name("dump"))
    yield name
    with django_db_blocker.unblock():
        databases.drop(name)


@pytest.fixture(scope="session")
def migrated(release: str, dumped: str, django_db_blocker: DjangoDbBlocker) -> str:
    """The same database, migrated. Each test works on a copy of it.

    The workers of a parallel run share it, because a migration takes longer than most tests. It
    belongs to this run's folder or server; on any other server the next run replaces it.
    """
    folder = Path(os.environ["TEST_DATA_DIR"])
    done = folder / f"migrated-{release}"
    with (folder / f"{done.name}.lock").open("w") as lock, django_db_blocker.unblock():
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            name = databases.copy_of(dumped, folder, "test_upgrade_migrated_" + release)
            with databases.connected(name):
                call_command("migrate", interactive=False, verbosity=0)
            done.write_text(name)
    return done.read_text()


@pytest.fixture
def upgraded(migrated: str, tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Connect the test to a migrated database of that release."""
    with django_db_blocker.unblock():
        name = databases.copy_of(migrated, tmp_path, _database_name("copy"))
        with databases.connected(name):
            yield
        databases.drop(name)


@pytest.fixture
def old_rows(dumped: str, django_db_blocker: DjangoDbBlocker) -> databases.Rows:
    """The rows of that database before the migration."""
    with django_db_blocker.unblock(), databases.connected(dumped):
        return databases.all_rows()


def _database_name(suffix: str) -> str:
    return f"test_upgrade_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}_{suffix}"
