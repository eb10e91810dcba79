"""The ways in which a copy of a site is taken and put back."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from django.db import connection

from tests.smsportal.restores.site import Site
from tests.upgrade import databases

ON_SERVER: Final = bool(os.environ.get("TEST_DATABASE_URL"))


class Copies:
    """The copies of one site: taken while it is frozen, and put back while it is stopped."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.folder = site.folder / "copies"
        self.folder.mkdir()
        self._end = f"{site.database}_end"

    def take(self) -> None:
        answer = self.site.host.manage("backup", "--to", str(self.folder / "backups"))
        assert answer.returncode == 0, answer.stderr
        if ON_SERVER:
            _run("pg_dump", "--format=custom", f"--file={self._dump}", self._address)
        else:
            copy_file(self.site.database, self.folder / "old")
            shutil.copytree(self.site.host.data, self.folder / "data")

    def take_young(self) -> None:
        if not ON_SERVER:
            copy_file(self.site.database, self.folder / "young")

    # --- the end, to which each restore is applied ---------------------------------------

    def keep_end(self) -> None:
        shutil.copytree(self.site.host.folder, self.folder / "end")
        if ON_SERVER:
            self._create(self._end, self.site.database)

    def return_to_end(self) -> None:
        shutil.rmtree(self.site.host.folder)
        shutil.copytree(self.folder / "end", self.site.host.folder)
        if ON_SERVER:
            self._create(self.site.database, self._end)

    def drop(self) -> None:
        if ON_SERVER:
            databases.drop(self._end)

    # --- ways back -----------------------------------------------------------------------

    def by_command(self) -> None:
        (backup,) = (self.folder / "backups").iterdir()
        answer = self.site.host.manage("restore", str(backup), "--yes")
        assert answer.returncode == 0, answer.stderr

    def into_fresh_database(self) -> None:
        self._create(self.site.database, "template1")
        _run("pg_restore", f"--dbname={self._address}", self._dump)

    def into_same_database(self) -> None:
        _run("pg_restore", "--clean", "--if-exists", f"--dbname={self._address}", self._dump)

    def old_file(self) -> None:
        self._put_file("old")

    def young_file(self) -> None:
        self._put_file("young")

    def data_folder(self) -> None:
        shutil.rmtree(self.site.host.data)
        shutil.copytree(self.folder / "data", self.site.host.data)

    def _put_file(self, name: str) -> None:
        for suffix in ("-wal", "-shm"):
            Path(f"{self.site.database}{suffix}").unlink(missing_ok=True)
        shutil.copy(self.folder / name, self.site.database)

    def _create(self, name: str, template: str) -> None:
        # The server refuses a template that a session uses.
        connection.close()
        databases.create(name, template=template)

    @property
    def _dump(self) -> Path:
        return self.folder / "dump"

    @property
    def _address(self) -> str:
        return libpq_address(self.site)


Way = Callable[[Copies], None]


def libpq_address(site: Site) -> str:
    return site.host.environment["DATABASE_URL"].replace("postgres://", "postgresql://", 1)


def copy_file(database: str, target: Path) -> None:
    with (
        closing(sqlite3.connect(database, timeout=20)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def new_database_name() -> str:
    return f"test_restores_{secrets.token_hex(6)}" if ON_SERVER else ""
