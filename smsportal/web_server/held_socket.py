"""A connection whose slow parts are left to the worker's main loop.

Reading gives the bytes of the one request that was collected, and never waits. What the client
does not take at once of the answer is kept, up to a limit, and sent by the main loop.
"""

from __future__ import annotations

import errno
import select
import socket
import time
from typing import Any, Final

from .request_intake import RequestIntake
from .request_queue import OPEN_PATHS

MAX_UNSENT: Final = 4 * 1024 * 1024
"""Bytes of an answer that are kept for a client that reads slowly: any page or static file."""
MIN_BYTES_PER_SECOND: Final = 8 * 1024
"""A client that sends or takes bytes faster than this gets more time."""
PATIENCE: Final = 1.0
"""Seconds after which a closed connection means that the client has given up."""
MAX_SILENCE: Final = 10.0
"""Seconds without a byte within a request or an answer."""
BLOCK: Final = 64 * 1024
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Deadline:
    """The end of the time for one request or one answer."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._last = time.monotonic()

    def count(self, size: int) -> None:
        """Bytes have moved."""
        self._last = time.monotonic()
        self._end += size / MIN_BYTES_PER_SECOND

    def silence(self) -> float:
        """Seconds since the last byte."""
        return time.monotonic() - self._last

    def left(self) -> float:
        return min(self._end - time.monotonic(), MAX_SILENCE - self.silence())


class HeldSocket:
    """A proxy of a socket that does not block."""

    def __init__(self, sock: socket.socket, max_body: int, seconds: float) -> None:
        self._sock = sock
        self._max_body = max_body
        self._seconds = seconds
        self._unsent = bytearray()
        sock.setblocking(False)
        self.begin()

    def begin(self, data: bytes = b"") -> None:
        """Collect the next request, of which `data` has come already."""
        self.intake = RequestIntake(self._max_body)
        self.deadline = Deadline(self._seconds)
        self.intake.feed(data)
        if self.intake.wants_continue:
            self.try_to_send(CONTINUE)

    def collect(self) -> bool:
        """Take what has come of the request; False if the client has gone."""
        try:
            data = self._sock.recv(BLOCK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        had_head = self.intake.head is not None
        self.intake.feed(data)
        self.deadline.count(len(data))
        if self.intake.wants_continue and not had_head:
            self.try_to_send(CONTINUE)
        return True

    def end(self) -> bytes:
        """Forget the request, and return the beginning of the next one."""
        self.intake.close()
        self.deadline = Deadline(self._seconds)
        return self.intake.excess

    # --- for the web thread ------------------------------------------------

    def recv(self, size: int, *_: object) -> bytes:
        return self.intake.read(size)

    def send(self, data: bytes) -> int:
        # Was said when the head had come.
        if data != CONTINUE:
            self.sendall(data)
        return len(data)

    def sendall(self, data: bytes) -> None:
        """Send what the client takes now, and keep the rest. Waits only if that is too much."""
        self._unsent += data
        self.flush()
        if len(self._unsent) > MAX_UNSENT:
            self._wait_for_client()

    def _wait_for_client(self) -> None:
        deadline = Deadline(self._seconds)
        poll = select.poll()
        poll.register(self._sock, select.POLLOUT)
        while len(self._unsent) > MAX_UNSENT // 2:
            if (left := deadline.left()) <= 0:
                raise _too_slow()
            poll.poll(left * 1000)
            deadline.count(self.flush())

    @property
    def is_abandoned(self) -> bool:
        """Whether nobody waits for the answer to the collected request any longer.

        A client that closes only its own direction still reads. So a request that had not to wait
        is answered, and a report is taken in any case.
        """
        head = self.intake.head
        if head is not None and head.path.startswith(OPEN_PATHS):
            return False
        return self.deadline.silence() > PATIENCE and self.peer_has_gone()

    def peer_has_gone(self) -> bool:
        """Whether the client has closed the connection."""
        try:
            return not self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    # --- for the main loop -------------------------------------------------

    @property
    def unsent(self) -> int:
        """Bytes of the answer that the client has not taken."""
        return len(self._unsent)

    def flush(self) -> int:
        """Send what the client takes now; returns how much. Raises `OSError` if it has gone."""
        total = 0
        while self._unsent:
            try:
                sent = self._sock.send(self._unsent[: 4 * BLOCK])
            except BlockingIOError:
                break
            del self._unsent[:sent]
            total += sent
        return total

    def try_to_send(self, data: bytes) -> None:
        """Send a few bytes if that is possible at once."""
        try:
            self._sock.send(data)
        except OSError:
            return

    def drain(self) -> bool:
        """Drop what the client still sends; False if it has closed the connection."""
        try:
            return bool(self._sock.recv(BLOCK))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def setblocking(self, flag: bool) -> None:
        """Ignored: the socket never blocks."""

    def settimeout(self, seconds: float | None) -> None:
        """Ignored: the socket never blocks."""

    def gettimeout(self) -> float | None:
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _too_slow() -> OSError:
    # Looks like a disconnected client, which the server handles without an error.
    return ConnectionResetError(errno.ECONNRESET, "The client takes the answer too slowly.")
