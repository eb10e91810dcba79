"""One connection cannot end the others of its web process."""

from __future__ import annotations

import logging
import selectors
import socket
from collections import deque
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from smsportal.web_server import request_intake
from smsportal.web_server.request_queue import RequestQueue
from smsportal.web_server.worker import PortalWorker


@pytest.fixture
def worker() -> Iterator[Any]:
    """A worker without a process: its connections, its poller and no threads."""
    worker: Any = PortalWorker.__new__(PortalWorker)
    worker.cfg = Config()
    worker.log = logging.getLogger("test")
    worker.alive = True
    worker.poller = selectors.DefaultSelector()
    worker.worker_connections, worker.nr_conns = 450, 0
    worker.keepalived_conns = deque()
    worker._queue = RequestQueue(0)
    worker._held, worker._flushing, worker._lingering = {}, {}, {}
    yield worker
    for conn in [*worker._held, *worker._lingering]:
        worker._drop(conn)
    worker.poller.close()


def accept(worker: Any) -> socket.socket:
    """A client's end of a connection that the worker has accepted."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    listener = SimpleNamespace(accept=lambda: (ours, ("192.0.2.1", 1)), getsockname=lambda: "")
    worker.accept(listener)
    return theirs


def test_a_full_disk_ends_one_connection(worker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(request_intake, "TemporaryFile", full)
    with accept(worker) as large, accept(worker) as other:
        head = b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"
        large.sendall(head + bytes(99_000))
        while worker.nr_conns == 2:
            worker.wait_for_and_dispatch_events(timeout=1)
        received = b""
        try:
            while data := large.recv(1_000):
                received += data
        except ConnectionResetError:
            pass
        assert received[:12] in (b"HTTP/1.1 503", b"")
        assert (worker.nr_conns, len(worker._held)) == (1, 1)
        other.sendall(b"GET / HTTP/1.1\r\n")
        worker.wait_for_and_dispatch_events(timeout=1)
        assert next(iter(worker._held)).sock.intake.size


def test_somebody_can_always_connect(worker: Any) -> None:
    worker.worker_connections = 3
    clients = [accept(worker) for _ in range(5)]
    assert worker.nr_conns < worker.worker_connections
    for client in clients:
        client.close()
