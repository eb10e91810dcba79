"""A proxy in front of several hosts: each connection goes to the next one that accepts it."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import suppress
from itertools import count
from typing import Any

CHUNK = 65_536


class RoundRobin(socketserver.ThreadingTCPServer):
    """Knows nothing about HTTP. `hosts` are addresses such as 127.0.0.1:8000."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hosts: list[str] = []
        self._turn = count()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> RoundRobin:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A host or a client that is killed breaks its connections."""

    def connect(self) -> socket.socket:
        """A connection to the next host. Raises `OSError` if none accepts it."""
        first = next(self._turn)
        for place in range(len(self.hosts)):
            host, _, port = self.hosts[(first + place) % len(self.hosts)].rpartition(":")
            with suppress(OSError):
                return socket.create_connection((host, int(port)), timeout=30)
        raise ConnectionRefusedError("no host is there")


class _Handler(socketserver.BaseRequestHandler):
    server: RoundRobin

    def handle(self) -> None:
        with self.server.connect() as host:
            answers = threading.Thread(target=_copy, args=(host, self.request), daemon=True)
            answers.start()
            _copy(self.request, host)
            answers.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
