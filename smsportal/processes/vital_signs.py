"""What the vitals process reports to the supervisor. Independent of Django.

The heartbeats of the queues are in the database, which may be slow or away. A process of its own
reads them, so that the supervisor never waits.
"""

from __future__ import annotations

import time
from typing import Final

MAX_AGE: Final = 60.0
"""Seconds after which a report is out of date."""


class VitalSigns:
    """The silence of each queue, from lines such as `12.5 engine`."""

    def __init__(self) -> None:
        self._rest = b""
        self._reports: dict[str, tuple[float, float]] = {}
        self._reported_at = time.monotonic()

    def read(self, output: bytes) -> None:
        """Take in what the process has written since the last call."""
        *lines, self._rest = (self._rest + output).split(b"\n")
        now = time.monotonic()
        for line in lines:
            self._reported_at = now
            seconds, _, name = line.decode("utf-8", "replace").partition(" ")
            try:
                self._reports[name] = (now, float(seconds))
            except ValueError:
                continue

    def silence_of(self, name: str) -> float:
        """Seconds without a sign of life; 0 if unknown."""
        reported_at, seconds = self._reports.get(name, (0.0, 0.0))
        return seconds if time.monotonic() - reported_at < MAX_AGE else 0.0

    def silence_of_reporter(self) -> float:
        return time.monotonic() - self._reported_at
