"""A copy of the database is put back after more was sent: nothing is sent twice.

Real processes, real databases and the real tools: SQLite's file, `pg_dump` and `pg_restore`.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from sandbox.server import Sandbox
from smsportal.configuration.environment import BASE_DIR
from tests.support.wait_until import wait_until

LONG = pytest.mark.long

pytestmark = [pytest.mark.slow, pytest.mark.each_database, pytest.mark.any_database]

SERVER: Final = os.environ.get("TEST_DATABASE_URL", "")
on_sqlite = pytest.mark.skipif(bool(SERVER), reason="SQLite only")
on_postgresql = pytest.mark.skipif(not SERVER, reason="PostgreSQL only")
MESSAGES: Final = 60
LONG_ENOUGH: Final = 3.0
"""Seconds in which a running engine would send what waits."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


class Portal:
    """A portal with its own folders and its own database."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir()
        self.sandbox = sandbox
        self.url = f"sqlite:///{self.file}"
        if SERVER:
            self.name = f"restored_{secrets.token_hex(6)}"
            self.url = urlunsplit(urlsplit(SERVER)._replace(path=f"/{self.name}"))
            self._on_server(f"CREATE DATABASE {self.name}")
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def file(self) -> Path:
        return self.data / "portal.sqlite3"

    def _on_server(self, statement: str) -> None:
        with psycopg.connect(_libpq(SERVER), autocommit=True) as connection:
            connection.execute(statement.encode())

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if SERVER:
            self._on_server(f"DROP DATABASE {self.name} WITH (FORCE)")

    def start(self, messages: int = 0, per_second: int = 20) -> str:
        """Start the process. Returns its verdict."""
        self._starts += 1
        output = self.folder / f"output{self._starts}"
        (self.folder / "stop").unlink(missing_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "ENV_FILE": "",
            "DJANGO_SETTINGS_MODULE": "smsportal.settings",
            "DATA_DIR": str(self.data),
            "STATE_DIR": str(self.folder / "state"),
            "DATABASE_URL": self.url,
            "SECRET_KEY": "a key for tests only, long enough for the check of its length 012345",
            "SECRETS_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
            "PUBLIC_ADDRESS": "http://127.0.0.1:9",
            "ALLOW_HTTP_PROVIDERS": "true",
            "ALLOW_PRIVATE_PROVIDERS": "true",
        }
        stop, url = self.folder / "stop", self.sandbox.base_url("haorui")
        arguments = [str(value) for value in (stop, url, messages, per_second)]
        with output.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.providers.hold.engine_process", *arguments],
                cwd=BASE_DIR,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        found: list[str] = []

        def has_decided() -> bool:
            found.extend(re.findall(r"^verdict (.*)$", output.read_text(), re.MULTILINE))
            assert self._process is not None
            assert found or self._process.poll() is None, output.read_text()
            return bool(found)

        wait_until(has_decided)
        return found[0]

    def stop(self) -> None:
        assert self._process is not None
        (self.folder / "stop").touch()
        assert self._process.wait(60) == 0, self.output()

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def output(self) -> str:
        return (self.folder / f"output{self._starts}").read_text()

    @property
    def sent(self) -> int:
        return self.sandbox.book.count("haorui", "send")

    def wait_for(self, sent: int) -> None:
        wait_until(lambda: self.sent >= sent)

    def assert_nothing_is_sent(self) -> None:
        before = self.sent
        time.sleep(LONG_ENOUGH)
        assert self.sent == before
        assert self.sandbox.book.repeated("haorui") == []

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        if SERVER:
            with psycopg.connect(_libpq(self.url)) as connection:
                return connection.execute(statement.encode()).fetchall()
        with closing(sqlite3.connect(self.file, timeout=20)) as file:
            return file.execute(statement).fetchall()

    def states(self) -> dict[object, object]:
        return dict(self.ask("SELECT state, count(*) FROM messaging_message GROUP BY state"))  # type: ignore[arg-type]

    # --- copies ---------------------------------------------------------------

    def copy(self) -> Path:
        """Copy the database while the engine works."""
        target = self.folder / "copy"
        if SERVER:
            self._tool("pg_dump", "--format=custom", f"--file={target}", _libpq(self.url))
        else:
            with (
                closing(sqlite3.connect(self.file, timeout=20)) as source,
                closing(sqlite3.connect(target)) as copy,
            ):
                source.backup(copy)
        return target

    def put_back(self, copy: Path) -> None:
        if SERVER:
            self._tool("pg_restore", "--clean", "--if-exists", f"--dbname={_libpq(self.url)}", copy)
            return
        for suffix in ("-wal", "-shm"):
            Path(f"{self.file}{suffix}").unlink(missing_ok=True)
        shutil.copy(copy, self.file)

    @staticmethod
    def _tool(*command: str | Path) -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def _libpq(url: str) -> str:
    return url.replace("postgres://", "postgresql://", 1)


@pytest.fixture
def portal(tmp_path: Path, sandbox: Sandbox) -> Iterator[Portal]:
    portal = Portal(tmp_path, sandbox)
    yield portal
    portal.close()


@pytest.mark.parametrize(
    ("messages", "sent", "per_second"),
    [
        pytest.param(MESSAGES, 20, 20, id="many"),
        pytest.param(8, 4, 1, id="few", marks=LONG),
    ],
)
def test_copy_of_the_middle_is_put_back_after_the_end(
    portal: Portal, messages: int, sent: int, per_second: int
) -> None:
    """The second copy is seconds old: by its time it would pass for a restart."""
    portal.start(messages, per_second)
    portal.wait_for(sent)
    copy = portal.copy()
    portal.wait_for(messages)
    portal.stop()
    portal.put_back(copy)

    assert portal.start() == "hold older"
    portal.assert_nothing_is_sent()
    assert portal.sent == messages
    assert portal.states()["held"] >= 1  # type: ignore[operator]
    portal.stop()
    assert portal.start() == "trusted"
    portal.assert_nothing_is_sent()
    portal.stop()


def test_copy_that_is_put_back_under_a_running_engine(portal: Portal) -> None:
    portal.start(MESSAGES)
    portal.wait_for(20)
    copy = portal.copy()
    portal.wait_for(MESSAGES)
    if SERVER:
        portal.put_back(copy)
    else:
        for suffix in ("-wal", "-shm"):
            Path(f"{portal.file}{suffix}").unlink(missing_ok=True)
        copy.replace(portal.file)
    wait_until(lambda: "On hold (older)" in portal.output(), at_most=30)
    portal.assert_nothing_is_sent()
    assert portal.sent == MESSAGES
    assert portal.states()["held"] >= 1  # type: ignore[operator]
    portal.stop()


def test_copy_that_is_put_back_while_the_engine_sends(portal: Portal) -> None:
    portal.start(2 * MESSAGES)
    portal.wait_for(20)
    copy = portal.copy()
    portal.wait_for(60)
    if SERVER:
        portal.put_back(copy)
    else:
        for suffix in ("-wal", "-shm"):
            Path(f"{portal.file}{suffix}").unlink(missing_ok=True)
        copy.replace(portal.file)
    wait_until(lambda: "On hold (older)" in portal.output(), at_most=30)
    portal.assert_nothing_is_sent()
    portal.stop()


@on_sqlite
def test_whole_data_folder_is_put_back(portal: Portal) -> None:
    portal.start(MESSAGES)
    portal.wait_for(20)
    portal.stop()
    shutil.copytree(portal.data, portal.folder / "backup")
    portal.start()
    portal.wait_for(MESSAGES)
    portal.stop()
    shutil.rmtree(portal.data)
    shutil.copytree(portal.folder / "backup", portal.data)

    assert portal.start() == "hold older"
    portal.assert_nothing_is_sent()
    portal.stop()


@on_sqlite
def test_file_on_a_host_that_has_never_seen_it(portal: Portal) -> None:
    portal.start(MESSAGES)
    portal.wait_for(20)
    portal.stop()
    shutil.rmtree(portal.folder / "state")
    (portal.data / "fence.json").unlink()

    assert portal.start() == "hold no_fence"
    portal.assert_nothing_is_sent()
    portal.stop()


@pytest.mark.parametrize(
    "end",
    [pytest.param(Portal.stop, id="stopped", marks=LONG), pytest.param(Portal.kill, id="killed")],
)
def test_restart_continues_automatically(portal: Portal, end: object) -> None:
    assert callable(end)
    portal.start(MESSAGES)
    for sent in (15, 30):
        portal.wait_for(sent)
        end(portal)
        assert portal.start() == "trusted"
    wait_until(lambda: "queued" not in portal.states() and "claimed" not in portal.states())
    assert portal.sandbox.book.repeated("haorui") == []
    assert portal.ask("SELECT count(*) FROM providers_hold") == [(0,)]
    portal.stop()
