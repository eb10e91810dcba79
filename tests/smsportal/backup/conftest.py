"""A database of its own for each test, which it may back up, replace and damage."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from smsportal.backup import encryption, manifest
from smsportal.backup.manifest import Manifest
from smsportal.configuration.environment import BASE_DIR
from tests.support.db_clone import end_other_sessions
from tests.upgrade import databases

PASSPHRASE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real cost is a quarter of a second each time."""
    monkeypatch.setattr(encryption, "COST", 1 << 8)


@dataclass
class Portal:
    """The portal whose database is the test's own, and a folder for its backups."""

    folder: Path

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    @property
    def names(self) -> list[str]:
        return sorted(one.name for one in self.backups.iterdir())

    @property
    def newest(self) -> Path:
        return self.backups / max(name for name in self.names if name[0] != ".")

    def manifest(self) -> Manifest:
        return manifest.read(self.newest)

    def backup(self, *arguments: str) -> str:
        output = StringIO()
        call_command("backup", "--to", str(self.backups), *arguments, stdout=output)
        return output.getvalue()

    def restore(self, *arguments: str, backup: Path | None = None) -> str:
        output = StringIO()
        call_command("restore", str(backup or self.newest), *arguments, stdout=output)
        return output.getvalue()

    def environment(self) -> dict[str, str]:
        """What leads a process to the same database."""
        return {
            "DJANGO_SETTINGS_MODULE": "tests.providers.engine.cluster_settings",
            "TEST_CLUSTER_DATABASE": str(connection.settings_dict["NAME"]),
            "TEST_CLUSTER_CACHE": str(self.folder / "cache"),
        }

    def process(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """`manage.py` with these arguments, in a process of its own, on the same database."""
        return subprocess.Popen(
            [sys.executable, str(BASE_DIR / "manage.py"), *arguments],
            env={**os.environ, **self.environment(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


@pytest.fixture
def portal(transactional_db: None, tmp_path: Path, settings: Settings) -> Iterator[Portal]:
    data = tmp_path / "data"
    data.mkdir()
    settings.DATA_DIR = data
    settings.BACKUP_PASSPHRASE = settings.BACKUP_PASSPHRASE_FILE = ""
    original = str(connection.settings_dict["NAME"])
    end_other_sessions(original)
    connection.close()
    name = f"test_backup_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    copied = databases.copy_of(original, data, name)
    with databases.connected(copied):
        yield Portal(tmp_path)
    databases.drop(copied)


@pytest.fixture
def passphrase(tmp_path: Path) -> str:
    """A file with the passphrase."""
    file = tmp_path / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    return str(file)
