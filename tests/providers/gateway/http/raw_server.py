"""A server on real sockets that sends exactly the bytes that a test gives it."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

KEEP_ALIVE_PATIENCE = 5.0


class Peer:
    """One accepted connection."""

    def __init__(self, server: RawServer, connected: socket.socket) -> None:
        self.server = server
        self.socket = connected
        self.closing = server.closing

    def read_request(self) -> bytes:
        """One complete request with its body; empty at the end of the connection."""
        data = b""
        while b"\r\n\r\n" not in data:
            block = self.socket.recv(65536)
            if not block:
                return b""
            data += block
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(body) < length:
            body += self.socket.recv(65536)
        request = head + b"\r\n\r\n" + body
        self.server.requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def trickle(self, data: bytes, pause: float) -> None:
        for byte in data:
            self.send(bytes((byte,)))
            if self.closing.wait(pause):
                return

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def stay_silent(self) -> None:
        self.closing.wait(KEEP_ALIVE_PATIENCE)


Behaviour = Callable[[Peer], None]


class RawServer:
    """The n-th connection gets the n-th behaviour. Further connections get the last one."""

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.closing = threading.Event()
        self._behaviours = behaviours
        self._tls = tls
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._start(self._accept)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(connected)
            index = min(self.connections, len(self._behaviours) - 1)
            self.connections += 1
            self._start(self._serve, connected, self._behaviours[index])

    def _serve(self, connected: socket.socket, behave: Behaviour) -> None:
        with suppress(OSError, ValueError):
            if self._tls:
                connected = self._tls.wrap_socket(connected, server_side=True)
                self._sockets.append(connected)
            behave(Peer(self, connected))
        with suppress(OSError):
            connected.close()

    def close(self) -> None:
        self.closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connected in list(self._sockets):
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(2)
        for connected in list(self._sockets):
            connected.close()


def answer(body: bytes = b"{}", *, status: str = "200 OK", headers: tuple[str, ...] = ()) -> bytes:
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode("latin-1") + body


def always(data: bytes) -> Behaviour:
    """Answer every request on a connection with these bytes, and keep it open."""

    def behave(peer: Peer) -> None:
        while peer.read_request():
            peer.send(data)

    return behave


def once(data: bytes) -> Behaviour:
    """Answer one request, then close."""

    def behave(peer: Peer) -> None:
        if peer.read_request():
            peer.send(data)

    return behave
