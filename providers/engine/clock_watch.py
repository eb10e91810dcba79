"""Notices that a wall clock was set, also while no loop of this host ran.

The monotonic clock of a host continues from one process to the next. So a loop stores how far the
wall clocks are ahead of it, and the next one starts from there. Otherwise a clock that was set
just before a loop started would look right to it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.conf import settings

from .. import clock
from ..clock import Reading
from ..models import Heartbeat, heartbeat
from .heartbeats import CLOCK_PREFIX

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
"""Changes whenever the monotonic clock starts again. Only Linux has it."""


class ClockWatch:
    """Compares the wall clocks of host and database with the monotonic clock."""

    def __init__(self) -> None:
        self._has_recalled = False
        self._stepped_at: float | None = None

    def check(self) -> bool:
        """Read the clocks. Returns whether one was set since the last time."""
        if not self._has_recalled:
            recall()
            self._stepped_at = clock.state()[1]
            self._has_recalled = True
        clock.learn()
        before, self._stepped_at = self._stepped_at, clock.state()[1]
        return self._stepped_at != before


def remember() -> None:
    """Leave behind what this process knows about the clocks."""
    boot = _boot_id()
    reading, stepped_at = clock.state()
    if boot and reading is not None:
        known = (reading.host, reading.database, stepped_at)
        numbers = ["-" if one is None else f"{one:.1f}" for one in known]
        heartbeat(_name(), " ".join([boot, *numbers]))


def recall() -> None:
    """Take over what the last process of this host knew, if its clock has not started again."""
    row = Heartbeat.objects.filter(name=_name()).first()
    boot, *numbers = row.detail.split() if row else [""]
    if row is None or boot != _boot_id() or len(numbers) != 3:
        return
    host, database, stepped_at = (None if one == "-" else float(one) for one in numbers)
    if host is None:
        return
    reading, noticed_at = clock.state()
    later = max((one for one in (stepped_at, noticed_at) if one is not None), default=None)
    at = reading.at if reading else 0.0
    clock.restore(Reading(at, host, database), later)


def _name() -> str:
    return (CLOCK_PREFIX + settings.PORTAL_HOST)[:48]


def _boot_id() -> str:
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""
