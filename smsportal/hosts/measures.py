"""What this machine and the portal's processes on it use. Reads /proc; elsewhere None."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings

PROC = Path("/proc")
MEMORY_EVERY: Final = 60.0
"""Seconds between two looks at the memory. The kernel walks through every page of a process."""


class Measures:
    """Measures again and again: the load is that of the time since the last measurement."""

    def __init__(self, portal: int) -> None:
        self._portal = portal
        self._last = _processor_times()
        self._memory: int | None = None
        self._memory_at = float("-inf")

    def take(self) -> dict[str, Any]:
        """Values for the columns of `providers.models.Host`."""
        return {
            "cores": os.cpu_count(),
            "load": self._load(),
            "memory": self._memory_now(),
            "disk_free": _disk_free(),
        }

    def _memory_now(self) -> int | None:
        if time.monotonic() - self._memory_at >= MEMORY_EVERY:
            self._memory, self._memory_at = memory_of(self._portal), time.monotonic()
        return self._memory

    def _load(self) -> float | None:
        last, self._last = self._last, _processor_times()
        if last is None or self._last is None:
            return None
        busy, total = self._last[0] - last[0], self._last[1] - last[1]
        return min(1.0, max(0.0, busy / total)) if total > 0 else None


def _processor_times() -> tuple[int, int] | None:
    """The time that all processors were busy, and all of their time."""
    try:
        line = (PROC / "stat").read_text().splitlines()[0]
    except (OSError, IndexError):
        return None
    # proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal.
    times = [int(word) for word in line.split()[1:9]]
    return sum(times) - sum(times[3:5]), sum(times)


def memory_of(portal: int) -> int | None:
    """Bytes that a process and its descendants use. Shared pages count once."""
    sizes = [
        size
        for pid in (portal, *descendants(portal))
        if (size := memory_of_process(pid)) is not None
    ]
    return sum(sizes) or None


def memory_of_process(pid: int) -> int | None:
    try:
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return None
    return None


def descendants(portal: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found, left = [], [portal]
    while left:
        own = children.get(left.pop(), [])
        found += own
        left += own
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            # The program's name in brackets may contain anything.
            rest = stat.read_text(errors="replace").rpartition(")")[2].split()
            yield int(stat.parent.name), int(rest[1])
        except (OSError, ValueError, IndexError):
            continue


def _disk_free() -> int | None:
    try:
        return shutil.disk_usage(settings.DATA_DIR).free
    except OSError:
        return None
