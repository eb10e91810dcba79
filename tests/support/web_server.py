"""The web server in its real configuration, as a process of its own on the test database."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from django.conf import settings

from smsportal.configuration.environment import BASE_DIR
from tests.canary.portals import database_url
from tests.support.wait_until import wait_until


@contextmanager
def run_web_server(folder: Path, *, threads: int, request_seconds: int) -> Iterator[int]:
    """Gives its port once it answers. `folder` holds its data, state and static files."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": "",
        "DATA_DIR": str(folder / "data"),
        "STATE_DIR": str(folder / "state"),
        "STATIC_ROOT": str(folder / "static"),
        "DATABASE_URL": database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "SECRETS_KEYS": ",".join(settings.SECRETS_KEYS),
        "BIND": f"127.0.0.1:{port}",
        "WEB_PROCESSES": "1",
        "WEB_THREADS": str(threads),
        "REQUEST_SECONDS": str(request_seconds),
    }
    for name in ("data", "state", "static"):
        (folder / name).mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", str(BASE_DIR / "gunicorn.conf.py")],
        env=environment,
        cwd=BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: answers(port), at_most=60)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def answers(port: int) -> bool:
    """Whether a wrong callback address is refused. After some of them, the refusal is another."""
    with contextlib.suppress(requests.ConnectionError):
        answer = requests.get(f"http://127.0.0.1:{port}/callbacks/x/", timeout=30)
        return answer.status_code in (404, 429)
    return False
