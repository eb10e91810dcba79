"""`manage.py portal`: a full run of the demo, the roles of hosts, and failed starts."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.db import connection

from smsportal.configuration.addresses import answers, parse_bind
from smsportal.configuration.environment import BASE_DIR, EXIT_CODE
from tests.support.hosts import Host, empty_database, free_port, run
from tests.support.processes import descendants_of, is_running, name_of

TIMEOUT = 120.0


class Demo:
    """A running demo with its own ports and folder."""

    def __init__(self, folder: Path) -> None:
        self.output = folder / "output"
        self.web = f"127.0.0.1:{free_port()}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "ENV_FILE": "",
            "DATA_DIR": str(folder / "data"),
            "STATE_DIR": str(folder / "state"),
            "BIND": self.web,
            "SANDBOX_BIND": f"127.0.0.1:{free_port()}",
            "WEB_PROCESSES": "1",
            "LOG_FORMAT": "json",
            "METRICS_NETWORKS": "127.0.0.1",
        }
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(BASE_DIR / "manage.py"), "portal", "--demo"],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def read_output(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self) -> None:
        end = time.monotonic() + TIMEOUT
        while "The portal is ready" not in self.read_output():
            assert self.process.poll() is None, self.read_output()
            assert time.monotonic() < end, self.read_output()
            time.sleep(0.1)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path)
    yield demo
    if demo.process.poll() is None:
        # The first signal requests a stop, the second kills every child process.
        demo.process.send_signal(signal.SIGINT)
        demo.process.send_signal(signal.SIGINT)
        demo.process.wait(TIMEOUT)


@pytest.mark.slow
def test_demo_starts_responds_and_stops_cleanly(demo: Demo) -> None:
    demo.wait_until_ready()
    for path in ("/livez", "/readyz", "/metrics"):
        assert requests.get(f"http://{demo.web}{path}", timeout=TIMEOUT).status_code == 200, path
    page = requests.get(f"http://{demo.web}/login/?next=/%3Fword", timeout=TIMEOUT)
    assert page.status_code == 200
    sheets = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
    assert sheets
    for path in (sheets[0], "/favicon.ico"):
        assert requests.get(f"http://{demo.web}{path}", timeout=TIMEOUT).ok, path

    started = descendants_of(demo.process.pid)
    assert len(started) > 4
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(TIMEOUT) == 0, demo.read_output()
    assert "Stopped." in demo.read_output()
    assert "killed" not in demo.read_output().replace("to kill it", "")
    assert "?next" not in demo.read_output()
    lines = [json.loads(line) for line in demo.read_output().splitlines()]
    assert all(line["message"] and line["asctime"] for line in lines)
    assert not [pid for pid in started if is_running(pid)]


# --- roles and failed starts ---------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    with empty_database(tmp_path) as name:
        yield name


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_one_host_serves_pages_and_another_runs_the_queues(database: str, tmp_path: Path) -> None:
    keys = {"SECRET_KEY": 50 * "k", "SECRETS_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="}
    web, work = (Host(tmp_path / role, database, **keys) for role in ("web", "work"))
    try:
        web.start("--only", "web")
        web.wait_until_ready()
        work.start("--only", "work")
        work.wait_until_ready()
        assert requests.get(f"http://{web.web}/login/", timeout=TIMEOUT).status_code == 200
        assert not answers(parse_bind(work.web))
        assert names(web) == {"fork server", "web server", "vitals"}
        assert names(work) == {"fork server", "queue", "engine queue", "vitals"}
    finally:
        web.stop()
        work.stop()
    assert "killed" not in (web.log() + work.log()).replace("to kill it", "")


def names(host: Host) -> set[str]:
    return {name for pid in descendants_of(host.pid) if (name := name_of(pid))}


def test_demo_cannot_be_a_part() -> None:
    ended = run(
        [str(BASE_DIR / "manage.py"), "portal", "--demo", "--only", "web"], dict(os.environ)
    )
    assert ended.returncode == 2
    assert "--demo runs everything" in ended.stderr


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestFailedStart:
    """Each reason is one line that names the setting, before anything starts."""

    def start(self, folder: Path, database: str, **settings: str) -> str:
        """The lines of a start that failed, without warnings and the notice of new keys."""
        host = Host(folder / "host", database, **settings)
        host.start()
        assert host.exit_code() == EXIT_CODE, host.log()
        skipped = ("Warning: ", "New keys were written")
        lines = [line for line in host.log().splitlines() if not line.startswith(skipped)]
        assert len(lines) == 1, lines
        return lines[0]

    def test_port_in_use(self, tmp_path: Path, database: str) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            bind = f"127.0.0.1:{other.getsockname()[1]}"
            assert self.start(tmp_path, database, BIND=bind).startswith("BIND: cannot listen on ")

    def test_database_server_that_is_away(self, tmp_path: Path, database: str) -> None:
        line = self.start(tmp_path, database, DATABASE_URL="postgres://u:hunter2@127.0.0.1:1/n")
        assert line.startswith("DATABASE_URL (from the environment): the database cannot be used")
        assert line.endswith("Connection refused.")
        assert "hunter2" not in line

    def test_database_file_in_a_missing_folder(self, tmp_path: Path, database: str) -> None:
        url = f"sqlite:///{tmp_path}/missing/portal.sqlite3"
        assert self.start(tmp_path, database, DATABASE_URL=url).startswith("DATABASE_URL (from ")

    def test_file_that_is_no_database(self, tmp_path: Path, database: str) -> None:
        url = f"sqlite:///{BASE_DIR / 'manage.py'}"
        line = self.start(tmp_path, database, DATABASE_URL=url)
        assert "file is not a database" in line

    def test_unknown_database(self, tmp_path: Path, database: str) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite creates it.")
        line = self.start(tmp_path, f"{database}_unknown")
        assert "does not exist" in line
        assert line.startswith("DATABASE_URL (from the environment): ")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_preflight_reports_what_would_fail_and_changes_nothing(
    database: str, tmp_path: Path
) -> None:
    host = Host(tmp_path / "host", database)
    assert run(["-m", "smsportal.configuration.environment"], host.environment).returncode == 0
    before = sorted(path.name for path in tmp_path.rglob("*"))
    fits = host.manage("preflight")
    assert (fits.returncode, fits.stderr) == (0, "")
    assert fits.stdout.endswith("Everything fits. The portal can start here.\n")
    after = sorted(path.name for path in tmp_path.rglob("*"))
    assert set(after) - set(before) <= {"cache"}

    host.environment["ALLOWED_HOSTS"] = "sms.example.com"
    host.environment["PUBLIC_ADDRESS"] = "https://other.example.com"
    fails = host.manage("preflight", "--only", "work")
    assert fails.returncode == EXIT_CODE
    (line,) = fails.stderr.splitlines()
    assert line.startswith("The host of PUBLIC_ADDRESS, other.example.com, is not among")
