"""Enforce the total time limit of calls.

Every byte renews a read timeout, so a server that trickles its headers can hold a thread for ever.
One daemon thread per process watches all calls and shuts down the socket of each overdue one. The
thread that reads from it then sees the end of the stream.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from time import monotonic


class Alarm:
    """The time limit of one call."""

    __slots__ = ("_lock", "_socket", "deadline", "ended", "expired")

    def __init__(self, seconds: float) -> None:
        self.deadline = monotonic() + seconds
        self.expired = False
        self.ended = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def guard(self, connected: socket.socket) -> None:
        """Shut this socket at the deadline; TimeoutError if that has passed already."""
        with self._lock:
            self._socket = connected
        if self.expired or monotonic() >= self.deadline:
            raise TimeoutError

    def ring(self) -> None:
        with self._lock:
            if self.ended:
                return
            self.expired = True
            if self._socket is not None:
                with suppress(OSError):
                    # Not close(), which would not wake a reading thread. Not the method of
                    # SSLSocket either, which drops the TLS state while the thread reads.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def cancel(self) -> None:
        """End the watch. After this returns, the socket may serve another call."""
        with self._lock:
            self.ended = True
            self._socket = None


class Watchdog:
    """Rings alarms. Its thread starts with the first alarm, and again in each forked child."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        # A forked child has no threads of its parent, and cannot release their locks.
        self._changed = threading.Condition(threading.Lock())
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._serial = count()
        self._thread: threading.Thread | None = None

    def watch(self, seconds: float) -> Alarm:
        """Start the time limit of a call. The caller cancels the alarm at the end of the call."""
        alarm = Alarm(seconds)
        with self._changed:
            heappush(self._alarms, (alarm.deadline, next(self._serial), alarm))
            if self._thread is None or not self._thread.is_alive():
                self._start()
            elif self._alarms[0][2] is alarm:
                self._changed.notify()
        return alarm

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="gateway-watchdog", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._next_due().ring()

    def _next_due(self) -> Alarm:
        """Wait for the next overdue call. Alarms of ended calls are dropped."""
        with self._changed:
            while True:
                while self._alarms and self._alarms[0][2].ended:
                    heappop(self._alarms)
                left = self._alarms[0][0] - monotonic() if self._alarms else None
                if left is not None and left <= 0:
                    return heappop(self._alarms)[2]
                self._changed.wait(left)


WATCHDOG = Watchdog()
