"""The portal under test: in this process, or in separate processes."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections

from providers.engine.loop import Loop
from sandbox.server import Sandbox
from smsportal.configuration.environment import BASE_DIR
from tests.canary.planted import TIMEOUT
from tests.support.processes import descendants_of
from tests.support.wait_until import wait_until


class InProcessPortal:
    """Web server and engine in threads of this process.

    It shows what each database writes, its errors included. The output of real processes is the
    same on any database.
    """

    folder: Path | None = None

    def __init__(self, address: str, logged: pytest.LogCaptureFixture) -> None:
        self.address = address
        self._logged = logged
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            Loop(self._stop.is_set).run()
        finally:
            connections.close_all()

    def command_lines(self) -> str:
        return ""

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def log(self) -> str:
        format_ = logging.Formatter("%(name)s %(message)s").format
        return "\n".join(f"{format_(record)} {record.args}" for record in self._logged.records)


class SeparatePortal:
    """`manage.py portal` on the test database."""

    def __init__(self, folder: Path, sandbox: Sandbox, static: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            bind = f"127.0.0.1:{probe.getsockname()[1]}"
        self.address = f"http://{bind}"
        self.folder: Path | None = folder / "data"
        self._output = folder / "output"
        environment = {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "tests.portal_settings",
            "ENV_FILE": "",
            "DATA_DIR": str(self.folder),
            "STATE_DIR": str(self.folder / "state"),
            # Collecting static files takes eight seconds; the demo in test_portal.py covers it.
            "STATIC_ROOT": str(static),
            "DATABASE_URL": database_url(),
            "SECRET_KEY": django_settings.SECRET_KEY,
            "SECRETS_KEYS": ",".join(django_settings.SECRETS_KEYS),
            "ALLOW_HTTP_PROVIDERS": "true",
            "ALLOW_PRIVATE_PROVIDERS": "true",
            "PUBLIC_ADDRESS": self.address,
            "SANDBOX_URL": sandbox.url,
            "BIND": bind,
            "WEB_PROCESSES": "1",
            "LOG_LEVEL": "DEBUG",
        }
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(BASE_DIR / "manage.py"), "portal", "--grace", "20"],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._is_ready, at_most=TIMEOUT)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log()
        return "The portal is ready" in self.log()

    def command_lines(self) -> str:
        pids = {self.process.pid, *descendants_of(self.process.pid)}
        listed = ["ps", "-ww", "-o", "args=", "-p", ",".join(map(str, pids))]
        return subprocess.run(listed, capture_output=True, text=True, check=True).stdout

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(TIMEOUT)

    def log(self) -> str:
        return self._output.read_text()


Portal = InProcessPortal | SeparatePortal


def database_url() -> str:
    """The DATABASE_URL of the test database."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    given = os.environ["DATABASE_URL"]
    parts = urlsplit(given)
    return given.replace(f"{parts.netloc}{parts.path}", f"{parts.netloc}/{name}", 1)
