"""Tells systemd how the portal is doing (`Type=notify`). Independent of Django.

The protocol is that of sd_notify(3): datagrams to the socket in NOTIFY_SOCKET. Without that
variable, nothing happens.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Final

WATCHDOG_PARTS: Final = 4
"""Signs of life in the time after which systemd kills a silent service."""
VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class ServiceManager:
    """What the supervisor reports. Its programs do not see the variables: gunicorn would report
    itself as ready before the queues are."""

    def __init__(
        self,
        environment: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._clock = clock
        self._alive_every = _watchdog_seconds(environment) / WATCHDOG_PARTS
        self._alive_at = 0.0

    def report_ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={status}")

    def report_status(self, status: str) -> None:
        self._send(f"STATUS={status}")

    def report_stop(self) -> None:
        self._send("STOPPING=1\nSTATUS=Stopping: in-flight work finishes first")

    def report_alive(self) -> None:
        """Called in every round of the supervisor; sends a few times in the watchdog's time."""
        if not self._alive_every or self._clock() < self._alive_at:
            return
        self._alive_at = self._clock() + self._alive_every
        self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        # An abstract socket is written with an @ and addressed with a null character.
        address = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as client,
        ):
            client.sendto(text.encode(), address)


def _watchdog_seconds(environment: Mapping[str, str]) -> float:
    """The time after which a silent service is killed; 0 without a watchdog for this process."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    try:
        return int(environment.get("WATCHDOG_USEC", "0")) / 1e6
    except ValueError:
        return 0.0


def environment_of_programs(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what belongs to the supervisor alone."""
    return {name: value for name, value in environment.items() if name not in VARIABLES}
