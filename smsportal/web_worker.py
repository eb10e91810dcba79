"""The web server's worker: a request that trickles in gives its thread back.

The threaded worker of gunicorn waits without limit for the rest of a request once its first
byte is there, so a few connections that send a byte now and then would take every thread. It
has no setting for that; a proxy in front that buffers requests does the same.
"""

from __future__ import annotations

import errno
import time
from typing import Any, Final

from django.conf import settings
from gunicorn.workers.gthread import ThreadWorker

MIN_BYTES_PER_SECOND: Final = 8 * 1024
"""Bytes a second that earn a request more time, so that a large file on a slow line arrives."""
MAX_SILENCE: Final = 10.0
"""Seconds without any byte in the middle of a request."""


class DeadlineSocket:
    """A socket whose reads end together after a while; everything else is the socket's."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._until = 0.0

    def begin(self, seconds: float) -> None:
        """Another request is about to be read."""
        self._until = time.monotonic() + seconds

    def recv(self, *args: Any) -> bytes:
        left = min(self._until - time.monotonic(), MAX_SILENCE)
        if left <= 0:
            raise _too_slow()
        self._sock.settimeout(left)
        try:
            data: bytes = self._sock.recv(*args)
        except TimeoutError:
            raise _too_slow() from None
        finally:
            self._sock.setblocking(True)
        self._until += len(data) / MIN_BYTES_PER_SECOND
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _too_slow() -> OSError:
    # As if the client had gone: that is what the server knows how to end quietly.
    return ConnectionResetError(errno.ECONNRESET, "The request came too slowly.")


class PortalWorker(ThreadWorker):
    def handle(self, conn: Any) -> Any:
        if not isinstance(conn.sock, DeadlineSocket):
            conn.sock = DeadlineSocket(conn.sock)
        conn.sock.begin(settings.REQUEST_SECONDS)
        return super().handle(conn)
