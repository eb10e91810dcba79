"""`manage.py portal`: which processes run, on which addresses, and a whole run of the demo."""

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
from smsportal.management.commands.portal import address_of, programs, require_free
from tests.support.processes import descendants_of, is_running

LAST_RESORT = 120.0


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
    def test_it_reads_what_gunicorn_reads(
        self, bind: str, expected: tuple[str, int] | None
    ) -> None:
        assert address_of(bind) == expected

    @pytest.mark.parametrize("bind", ["8000", "localhost", "localhost:http"])
    def test_it_refuses_what_has_no_port(self, bind: str) -> None:
        with pytest.raises(CommandError, match="no address with a port"):
            address_of(bind)

    def test_a_port_in_use_is_named_with_the_setting_that_changes_it(self) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            with pytest.raises(CommandError, match="Choose another address with BIND"):
                require_free("BIND", other.getsockname())


class TestPrograms:
    def test_the_web_stops_first_and_every_queue_has_a_cluster(self) -> None:
        found = programs(("127.0.0.1", 8000), None)
        assert [program.name for program in found] == ["web server", "queue", "engine queue"]
        assert [program.stop_order for program in found] == [0, 1, 1]

    def test_a_cluster_learns_its_name_from_the_environment(self) -> None:
        queue, engine = programs(None, None)[1:]
        assert queue.environment["Q_CLUSTER_NAME"] == "smsportal"
        assert engine.environment["Q_CLUSTER_NAME"] == "engine"

    @pytest.mark.django_db
    def test_the_queue_is_taken_to_hang_when_no_task_gets_through_it(self) -> None:
        queue = programs(None, None)[1]
        assert queue.silent_for is not None
        assert queue.silent_for() == 0
        heartbeat("queue", at=timezone.now() - timedelta(hours=1))
        assert queue.silent_for() >= 3600

    @pytest.mark.django_db
    def test_the_engine_is_taken_to_hang_when_no_loop_shows_itself(self) -> None:
        engine = programs(None, None)[2]
        assert engine.silent_for is not None
        assert engine.silent_for() == 0
        heartbeat("engine", at=timezone.now() - timedelta(hours=2))
        heartbeat("loop:1", at=timezone.now() - timedelta(hours=1))
        assert 3600 <= engine.silent_for() < 7200

    @pytest.mark.django_db
    def test_the_sandbox_runs_in_the_demonstration_only_and_stops_last(self) -> None:
        sandbox = programs(None, ("127.0.0.1", 8801))[-1]
        assert sandbox.name == "sandbox"
        assert sandbox.stop_order == 2


class Demo:
    """A demonstration on ports and in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.output = folder / "output"
        self.web = f"127.0.0.1:{free_port()}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "ENV_FILE": "",
            "DATA_DIR": str(folder / "data"),
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

    def said(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self) -> None:
        end = time.monotonic() + LAST_RESORT
        while "The portal is ready" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.1)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path)
    yield demo
    if demo.process.poll() is None:
        # The first asks, the second kills; both end every process below.
        demo.process.send_signal(signal.SIGINT)
        demo.process.send_signal(signal.SIGINT)
        demo.process.wait(LAST_RESORT)


@pytest.mark.slow
def test_the_demonstration_starts_answers_and_stops_cleanly(demo: Demo) -> None:
    demo.wait_until_ready()
    page = requests.get(f"http://{demo.web}/login/?next=/%3Fword", timeout=LAST_RESORT)
    assert page.status_code == 200
    sheets = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
    assert sheets
    for path in (sheets[0], "/favicon.ico"):
        assert requests.get(f"http://{demo.web}{path}", timeout=LAST_RESORT).ok, path

    started = descendants_of(demo.process.pid)
    assert len(started) > 4
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(LAST_RESORT) == 0, demo.said()
    assert "Stopped." in demo.said()
    assert "killed" not in demo.said().replace("to kill it", "")
    assert "?next" not in demo.said()
    assert not [pid for pid in started if is_running(pid)]
