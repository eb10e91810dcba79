"""A gunicorn worker with a deadline for reading a request.

Once the first byte has arrived, gunicorn's threaded worker waits for the rest without limit, and
has no setting for it. A few connections that send a byte now and then would occupy every thread.
A buffering proxy in front of the portal has the same effect as this worker.
"""

from __future__ import annotations

import errno
import time
from typing import Any, Final

from django.conf import settings
from gunicorn.workers.gthread import ThreadWorker

MIN_BYTES_PER_SECOND: Final = 8 * 1024
"""A request that sends faster than this gets more time, so that large uploads succeed."""
MAX_SILENCE: Final = 10.0
"""Seconds without a byte within a request."""


class DeadlineSocket:
    """A socket proxy with a common deadline for all reads of a request."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._deadline = 0.0

    def begin(self, seconds: float) -> None:
        """Start the deadline of the next request."""
        self._deadline = time.monotonic() + seconds

    def recv(self, *args: Any) -> bytes:
        left = min(self._deadline - time.monotonic(), MAX_SILENCE)
        if left <= 0:
            raise _too_slow()
        self._sock.settimeout(left)
        try:
            data: bytes = self._sock.recv(*args)
        except TimeoutError:
            raise _too_slow() from None
        finally:
            self._sock.setblocking(True)
        self._deadline += len(data) / MIN_BYTES_PER_SECOND
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _too_slow() -> OSError:
    # Looks like a disconnected client, which the server handles without an error.
    return ConnectionResetError(errno.ECONNRESET, "The request came too slowly.")


class PortalWorker(ThreadWorker):
    def handle(self, conn: Any) -> Any:
        if not isinstance(conn.sock, DeadlineSocket):
            conn.sock = DeadlineSocket(conn.sock)
        conn.sock.begin(settings.REQUEST_SECONDS)
        return super().handle(conn)
