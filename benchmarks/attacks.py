"""What a member of staff notices while others try to exhaust the web server.

python -m benchmarks.attacks [seconds]

One server with two processes of eight threads. A page is asked for again and again, at rest and
during each attack in turn, so that both figures are of the same minutes. Memory is that of the
web processes.
"""

from __future__ import annotations

import logging
import multiprocessing
import secrets
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from . import portal
from .latency import ROOT, Staff, _free_port

SECONDS = 20.0
SIGN_INS = 32
EXPORTS = 16
SLOW = 48
MESSAGES = 15_000
ELSEWHERE = "127.0.0.2"
WARM_UP = 4
PAUSE = 0.1
"""Seconds between two questions for the page."""


class Visitor(Staff):
    """Asks for the list of messages."""

    def look(self, address: str) -> float:
        begun = time.monotonic()
        self._session.get(f"{address}/messaging/message/", timeout=120).raise_for_status()
        return time.monotonic() - begun

    def cookies(self) -> dict[str, str]:
        return dict(self._session.cookies)


def sign_in_at_once(address: str, _cookies: dict[str, str], until: float) -> None:
    """Sign in with invented names, each connection as often as it can."""

    def attempt() -> None:
        session = _stranger()
        while time.time() < until:
            with suppress(requests.RequestException):
                session.get(f"{address}/login/", timeout=60)
                fields = {
                    "username": secrets.token_hex(6),
                    "password": "password",
                    "csrfmiddlewaretoken": str(session.cookies.get("csrftoken")),
                }
                session.post(f"{address}/login/", fields, timeout=60)

    _in_threads(SIGN_INS, attempt)


def export_at_once(address: str, cookies: dict[str, str], until: float) -> None:
    """One person exports the same list over and over. Gives up each after five seconds."""

    def attempt() -> None:
        session = _stranger()
        while time.time() < until:
            with suppress(requests.RequestException):
                session.get(
                    f"{address}/messaging/message/export/?format=xlsx&period=all",
                    cookies=cookies,
                    timeout=5,
                )
                # Refused, or downloaded. A person needs longer to try again.
                time.sleep(1)

    _in_threads(EXPORTS, attempt)


def send_slowly(address: str, _cookies: dict[str, str], until: float) -> None:
    """Send a byte of a form every three seconds, and connect anew when sent away."""
    host, _, port = address.removeprefix("http://").partition(":")

    def attempt() -> None:
        while time.time() < until:
            with suppress(OSError), _connection(host, int(port)) as client:
                client.sendall(b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999")
                client.sendall(b"\r\n\r\n")
                while time.time() < until:
                    client.sendall(b"x")
                    time.sleep(3)

    _in_threads(SLOW, attempt)


def _connection(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port), 10, source_address=(ELSEWHERE, 0))


class _FromElsewhere(HTTPAdapter):
    """Connects from another address than the staff."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, source_address=(ELSEWHERE, 0), **kwargs)


def _stranger() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", _FromElsewhere())
    return session


def _in_threads(number: int, work: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work, daemon=True) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    seconds = float(sys.argv[1]) if sys.argv[1:] else SECONDS
    bind = f"127.0.0.1:{_free_port()}"
    address = f"http://{bind}"
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    folder = portal.begin("Attacks on the web server", PUBLIC_ADDRESS=address, BIND=bind)
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)
    portal.queue_messages(portal.make_account("http://127.0.0.1:9", 4), MESSAGES)
    password = secrets.token_urlsafe(12)
    for name in ("staff", "attacker"):
        User.objects.create_superuser(name, password=password)
    with _web_server(folder / "web.log") as processes:
        visitor = Visitor(address, "staff", password)
        attacker = Visitor(address, "attacker", password)
        # Each thread opens a connection to the database, whose cache is not the attack's.
        for _ in range(WARM_UP):
            _in_threads(16, lambda: visitor.look(address))
        for attack in (sign_in_at_once, export_at_once, send_slowly):
            rest = _watch(visitor, address, seconds / 2)
            before = _memory(processes())
            until = time.time() + seconds
            process = multiprocessing.get_context("spawn").Process(
                target=attack, args=(address, attacker.cookies(), until)
            )
            process.start()
            time.sleep(2)
            peak = _Peak(processes)
            attacked = _watch(visitor, address, seconds - 2)
            grown = peak.end() - before
            process.join(90)
            process.kill()
            _report(attack.__name__, rest, attacked, grown)
    portal.close()


def _watch(visitor: Visitor, address: str, seconds: float) -> list[float]:
    end = time.monotonic() + seconds
    times = []
    while time.monotonic() < end:
        times.append(visitor.look(address))
        time.sleep(PAUSE)
    return times


class _Peak:
    """The most memory that the processes take, looked at five times a second."""

    def __init__(self, processes: Callable[[], list[int]]) -> None:
        self._processes = processes
        self._most = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(0.2):
            self._most = max(self._most, _memory(self._processes()))

    def end(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._most


def _memory(processes: list[int]) -> int:
    """Bytes of these processes together, without files that they map."""
    total = 0
    for process in processes:
        with suppress(OSError):
            status = Path(f"/proc/{process}/status").read_text()
            total += int(status.partition("RssAnon:")[2].split()[0]) * 1024
    return total


def _report(name: str, rest: list[float], attacked: list[float], grown: int) -> None:
    usual, now = statistics.median(rest), statistics.median(attacked)
    print(
        f"  {name}: the page at rest {usual * 1000:.0f} ms (longest {max(rest) * 1000:.0f}),"
        f" during the attack {now * 1000:.0f} ms (longest {max(attacked) * 1000:.0f}),"
        f" {now / usual:.1f} times; memory + {grown / 2**20:.0f} MiB",
        flush=True,
    )


@contextmanager
def _web_server(log: Path) -> Iterator[Callable[[], list[int]]]:
    """Run the server. Yields what tells the ids of its processes."""
    command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py")]
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    try:
        deadline = time.monotonic() + 60
        while b"Booting worker" not in log.read_bytes():
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.2)
        time.sleep(5)
        yield lambda: [int(one) for one in children.read_text().split()]
    finally:
        server.terminate()
        server.wait(60)


if __name__ == "__main__":
    main()
