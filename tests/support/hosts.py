"""Hosts of the portal: `manage.py portal` with a data folder of its own, on a shared database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from django.db import connection

from smsportal.configuration.environment import BASE_DIR
from tests.support.processes import descendants_of
from tests.support.wait_until import wait_until
from tests.upgrade import databases


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def empty_database(folder: Path) -> Iterator[str]:
    """The name of a database without tables, for `databases.connected` and `database_url`."""
    if connection.vendor == "sqlite":
        yield str(folder / "shared.sqlite3")
        return
    name = f"portal_{uuid4().hex[:12]}"
    databases.create(name)
    try:
        yield name
    finally:
        databases.drop(name)


def database_url(name: str) -> str:
    """The DATABASE_URL of a database beside the test database."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    given = os.environ["DATABASE_URL"]
    parts = urlsplit(given)
    return given.replace(f"{parts.netloc}{parts.path}", f"{parts.netloc}/{name}", 1)


class Host:
    """One host. Its keys are generated in its data folder, unless `settings` names them."""

    code = BASE_DIR
    """The folder of the version that it runs."""

    def __init__(self, folder: Path, database: str, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.started_in = folder
        self.data = folder / "data"
        self.output = folder / "output"
        self.web = f"127.0.0.1:{free_port()}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "ENV_FILE": "",
            "DJANGO_SETTINGS_MODULE": "tests.portal_settings",
            "DATA_DIR": str(self.data),
            "STATE_DIR": str(folder / "state"),
            "DATABASE_URL": database_url(database),
            "BIND": self.web,
            "WEB_PROCESSES": "1",
            "ALLOW_HTTP_PROVIDERS": "true",
            "ALLOW_PRIVATE_PROVIDERS": "true",
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> None:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    str(self.code / "manage.py"),
                    "portal",
                    "--grace",
                    "20",
                    *arguments,
                ],
                env=self.environment,
                cwd=self.started_in,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `manage.py` with this host's settings."""
        return run([str(self.code / "manage.py"), *arguments], self.environment, self.code)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def log(self) -> str:
        return self.output.read_text()

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        return "The portal is ready" in self.log()

    def wait_until_ready(self) -> None:
        wait_until(self.is_ready, at_most=200)

    def exit_code(self) -> int:
        assert self.process is not None
        return self.process.wait(120)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(120)

    def kill(self) -> None:
        """Kill every process of this host at once, as in a power failure."""
        if self.process is None or self.process.poll() is not None:
            return
        family = {self.process.pid, *descendants_of(self.process.pid)}
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(120)


def run(
    command: Sequence[str], environment: dict[str, str], folder: Path = BASE_DIR
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
