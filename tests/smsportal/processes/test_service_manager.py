"""What systemd hears of the portal."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from smsportal.processes.service_manager import ServiceManager, environment_of_programs
from smsportal.processes.supervisor import Program, Supervisor

pytestmark = pytest.mark.any_database


class Listener:
    """Stands for systemd."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(20)

    def next(self) -> list[str]:
        return self.socket.recv(4096).decode().splitlines()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(str(tmp_path / "notify"))
    yield listener
    listener.socket.close()


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": str(tmp_path / "notify"), **more}


def test_signs_of_life_fit_the_watchdog(tmp_path: Path, listener: Listener) -> None:
    now = 100.0
    manager = ServiceManager(environment(tmp_path, WATCHDOG_USEC="40000000"), lambda: now)
    manager.report_alive()
    assert listener.next() == ["WATCHDOG=1"]
    manager.report_alive()
    now = 110.0
    manager.report_alive()
    manager.report_stop()
    assert listener.next() == ["WATCHDOG=1"]
    assert listener.next()[0] == "STOPPING=1"


@pytest.mark.parametrize(
    "more", [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}]
)
def test_no_watchdog_needs_no_signs(
    tmp_path: Path, listener: Listener, more: dict[str, str]
) -> None:
    manager = ServiceManager(environment(tmp_path, **more))
    manager.report_alive()
    manager.report_status("works")
    assert listener.next() == ["STATUS=works"]


def test_a_socket_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    ServiceManager(environment(tmp_path)).report_ready("ready")
    ServiceManager({}).report_ready("ready")


def test_abstract_sockets_are_addressed() -> None:
    name = f"smsportal-test-{os.getpid()}"
    listener = Listener(f"\0{name}")
    ServiceManager({"NOTIFY_SOCKET": f"@{name}"}).report_ready("ready")
    assert listener.next() == ["READY=1", "STATUS=ready"]
    listener.socket.close()


def test_programs_do_not_see_the_socket(tmp_path: Path) -> None:
    found = environment_of_programs(environment(tmp_path, WATCHDOG_USEC="9", PATH="/bin"))
    assert found == {"PATH": "/bin"}


def test_readiness_is_reported_when_every_program_is_ready(
    tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(tmp_path, WATCHDOG_USEC="400000").items():
        monkeypatch.setenv(name, value)
    seen = tmp_path / "seen"
    script = (
        f"import os, time; open({str(seen)!r}, 'w').write(str(sorted(os.environ))); time.sleep(60)"
    )
    program = Program("sleeper", (sys.executable, "-c", script))
    supervisor = Supervisor([program], report=lambda _: None)
    heard: list[str] = []

    def listen() -> None:
        while "READY=1" not in heard or "WATCHDOG=1" not in heard or not seen.exists():
            heard.extend(listener.next())
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=listen)
    thread.start()
    supervisor.run()
    thread.join()
    while "STOPPING=1" not in heard:
        heard.extend(listener.next())
    assert "NOTIFY_SOCKET" not in seen.read_text()
