"""`manage.py portal`: its processes and addresses, and a full run of the demo."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from django.core.management.base import CommandError
from django.utils import timezone

from providers.models import heartbeat
from smsportal.environment import BASE_DIR
from smsportal.management.commands.portal import parse_bind, programs, require_free
from tests.support.processes import descendants_of, is_running

TIMEOUT = 120.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestAddresses:
    @pytest.mark.parametrize(
        ("bind", "expected"),
        [
            ("127.0.0.1:8000", ("127.0.0.1", 8000)),
            ("[::1]:8000", ("::1", 8000)),
            ("unix:/run/portal.sock", None),
        ],
    )
    def test_bind_is_parsed_as_by_gunicorn(
        self, bind: str, expected: tuple[str, int] | None
    ) -> None:
        assert parse_bind(bind) == expected

    @pytest.mark.parametrize("bind", ["8000", "localhost", "localhost:http"])
    def test_bind_without_a_port_is_rejected(self, bind: str) -> None:
        with pytest.raises(CommandError, match="not an address with a port"):
            parse_bind(bind)

    def test_port_in_use_is_reported_with_its_setting(self) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            with pytest.raises(CommandError, match="Choose another address with BIND"):
                require_free("BIND", other.getsockname())


class TestPrograms:
    def test_web_server_stops_first_and_every_queue_has_a_cluster(self) -> None:
        found = programs(("127.0.0.1", 8000), None)
        assert [program.name for program in found] == [
            "web server",
            "queue",
            "engine queue",
            "host report",
        ]
        assert [program.stop_order for program in found] == [0, 1, 1, 2]

    def test_cluster_gets_its_name_from_the_environment(self) -> None:
        queue, engine = programs(None, None)[1:3]
        assert queue.environment["Q_CLUSTER_NAME"] == "smsportal"
        assert engine.environment["Q_CLUSTER_NAME"] == "engine"

    @pytest.mark.django_db
    def test_queue_silence_counts_from_its_last_heartbeat(self) -> None:
        queue = programs(None, None)[1]
        assert queue.silent_for is not None
        assert queue.silent_for() == 0
        heartbeat("queue", at=timezone.now() - timedelta(hours=1))
        assert queue.silent_for() >= 3600

    @pytest.mark.django_db
    def test_engine_silence_counts_from_the_last_heartbeat_of_any_loop(self) -> None:
        engine = programs(None, None)[2]
        assert engine.silent_for is not None
        assert engine.silent_for() == 0
        heartbeat("engine", at=timezone.now() - timedelta(hours=2))
        heartbeat("loop:1", at=timezone.now() - timedelta(hours=1))
        assert 3600 <= engine.silent_for() < 7200

    @pytest.mark.django_db
    def test_sandbox_runs_in_the_demo_and_stops_last(self) -> None:
        sandbox = programs(None, ("127.0.0.1", 8801))[-1]
        assert sandbox.name == "sandbox"
        assert sandbox.stop_order == 2


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
    assert not [pid for pid in started if is_running(pid)]
