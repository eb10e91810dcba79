"""The intake rate of callbacks against a view that inserts one row, and a queue that is down.

python -m benchmarks.callbacks [--seconds 4] [--callbacks 20000]

None of 20,000 callbacks may be lost while the queue does not run. The production server gets its
load from another process over persistent connections.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from . import portal

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = 50
ROUNDS = 5
WANTED = 0.8
STARTS_WITHIN = 60.0
APPLIED_WITHIN = 900.0


def main() -> None:
    options = _arguments()
    bind = f"127.0.0.1:{_free_port()}"
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.bare"
    folder = portal.begin(
        "Callbacks",
        PUBLIC_ADDRESS=f"http://{bind}",
        BIND=bind,
        DJANGO_SETTINGS_MODULE="benchmarks.bare",
    )
    account = portal.make_account("http://127.0.0.1:9", 4)
    token = account.callback_tokens.get().value.reveal()
    with _web(bind, folder):
        _compare(bind, account.pk, token, options.seconds)
        _measure_page_under_load(bind, token, options.seconds)
        _measure_backlog(bind, account, token, options.callbacks, folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.callbacks")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each of the rounds")
    parser.add_argument("--callbacks", type=int, default=20_000)
    return parser.parse_args()


# --- how fast ------------------------------------------------------------------------


def _compare(bind: str, account_id: int, token: str, seconds: float) -> None:
    paths = {"bare": f"/bare/{account_id}/", "callbacks": f"/callbacks/{token}/"}
    rates: dict[str, list[float]] = {name: [] for name in paths}
    for path in paths.values():
        _load(bind, path, 1.0)
    for _ in range(ROUNDS):
        for name, path in paths.items():
            rates[name].append(_load(bind, path, seconds))
    median = {name: statistics.median(found) for name, found in rates.items()}
    print(
        f"  {CONNECTIONS} connections, median of {ROUNDS}: {median['callbacks']:.0f} a second,"
        f" bare {median['bare']:.0f} a second, ratio"
        f" {median['callbacks'] / median['bare']:.2f} (wanted: {WANTED})",
        flush=True,
    )


def _measure_page_under_load(bind: str, token: str, seconds: float) -> None:
    """Measure the latency of a page while callbacks arrive as fast as the server answers them.

    Once with a correct token, once with a wrong one.
    """
    for name, path in (("callbacks", f"/callbacks/{token}/"), ("guesses", "/callbacks/guess/")):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            flooding = pool.apply_async(load_for, (bind, path, 2 * seconds))
            time.sleep(seconds / 4)
            waits = sorted(_page(bind) for _ in range(20))
            flooding.get()
        print(
            f"  a page for staff while {name} flood in: median {waits[10] * 1000:.0f} ms,"
            f" longest {waits[-1] * 1000:.0f} ms",
            flush=True,
        )


def _page(bind: str) -> float:
    started = time.monotonic()
    requests.get(f"http://{bind}/login/", timeout=60).raise_for_status()
    return time.monotonic() - started


def _load(bind: str, path: str, seconds: float) -> float:
    """The number of requests a second answered with 200, measured in another process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(load_for, (bind, path, seconds))


def load_for(bind: str, path: str, seconds: float) -> float:
    async def run() -> float:
        until = time.monotonic() + seconds
        counts: Counter[int] = Counter()

        async def one() -> None:
            connection = await KeepAliveConnection.open(bind)
            while time.monotonic() < until:
                counts[await connection.post(path, _report(secrets.token_hex(16)))] += 1
            connection.close()

        started = time.monotonic()
        await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
        return counts[200] / (time.monotonic() - started)

    return asyncio.run(run())


async def _connect(bind: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = bind.rpartition(":")
    return await asyncio.open_connection(host, int(port))


class KeepAliveConnection:
    """One persistent connection. It opens again where the server has closed it."""

    def __init__(
        self, bind: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._bind = bind
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, bind: str) -> KeepAliveConnection:
        return cls(bind, *await _connect(bind))

    async def post(self, path: str, body: bytes) -> int:
        """Returns the status of the answer."""
        try:
            return await self._post(path, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()
            self._reader, self._writer = await _connect(self._bind)
            return await self._post(path, body)

    async def _post(self, path: str, body: bytes) -> int:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line[15:])
            for line in answer.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        await self._reader.readexactly(length)
        return int(answer[9:12])

    def close(self) -> None:
        self._writer.close()


def _report(reference: str) -> bytes:
    report = {
        "message_id": "26471304",
        "PhoneNumber": "8613912345678",
        "DLRStatus": "Delivered",
        "SMSID": "sms-26471304",
        "ErrorCode": "",
        "ErrorDescription": "",
        "uid": reference,
        "ClientCost": 1,
        "Remarks": "",
    }
    return json.dumps(report).encode()


# --- nothing lost ------------------------------------------------------------------------


def _measure_backlog(bind: str, account, token: str, number: int, folder: Path) -> None:  # type: ignore[no-untyped-def]
    """Push callbacks while no queue runs, start the queue, and count the applied callbacks."""
    from messaging.models import Message
    from providers.models import Callback

    Callback.objects.all().delete()
    portal.queue_messages(account, number)
    Message.objects.update(state="submitted", provider_id="")
    references = list(Message.objects.values_list("reference", flat=True))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, statuses = pool.apply(push_all, (bind, f"/callbacks/{token}/", references))
    print(
        f"  {number} pushed from {CONNECTIONS} connections in {seconds:.0f} s while the queue is"
        f" down: {dict(statuses)}, stored {Callback.objects.count()}",
        flush=True,
    )
    started = time.monotonic()
    with _queue(folder):
        done = _wait(lambda: not Message.objects.filter(state="submitted").exists())
    applied = Message.objects.filter(state="delivered").count()
    print(
        f"  after the queue started: {applied} of {number} applied in"
        f" {time.monotonic() - started:.0f} s{'' if done else ', NOT ALL'}"
    )


def push_all(bind: str, path: str, references: list[str]) -> tuple[float, Counter[int]]:
    """Push each report once, and again after a 503, as providers do."""

    async def run() -> tuple[float, Counter[int]]:
        statuses: Counter[int] = Counter()
        waiting = list(references)

        async def one() -> None:
            connection = await KeepAliveConnection.open(bind)
            while waiting:
                reference = waiting.pop()
                status = await connection.post(path, _report(reference))
                statuses[status] += 1
                if status == 503:
                    waiting.append(reference)
                    await asyncio.sleep(0.2)
            connection.close()

        started = time.monotonic()
        await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
        return time.monotonic() - started, statuses

    return asyncio.run(run())


def _wait(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + APPLIED_WITHIN
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.5)
    return True


# --- processes -----------------------------------------------------------------------------


@contextmanager
def _web(bind: str, folder: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py")]
    with _running([*command, "smsportal.wsgi:application"], folder / "web.log"):
        until = time.monotonic() + STARTS_WITHIN
        host, _, port = bind.rpartition(":")
        while time.monotonic() < until:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                break
            except OSError:
                time.sleep(0.2)
        yield


@contextmanager
def _queue(folder: Path) -> Iterator[None]:
    os.environ["Q_CLUSTER_NAME"] = "smsportal"
    command = [sys.executable, str(ROOT / "manage.py"), "qcluster", "--skip-checks"]
    with _running(command, folder / "queue.log"):
        yield


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()
