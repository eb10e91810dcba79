"""When a loop sweeps which source.

Sweeps find what became old by itself, and what dead loops left. They are most of what a loop
without work does, so they become rarer then. A loop that gains an account sweeps at once.
"""

from __future__ import annotations

from typing import Final

from .work_source import WorkSource, sources

SWEEP_EVERY: Final = 5.0
SWEEP_AT_REST: Final = 20.0
"""Seconds between two sweeps of a source once there was no work for `RESTS_AFTER` seconds."""
RESTS_AFTER: Final = 30.0


class SweepPace:
    """All times are by the monotonic clock."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}
        self._busy_at: float | None = None

    def note_work(self, now: float) -> None:
        self._busy_at = now

    def start_over(self, now: float) -> None:
        """Sweep every source soon: this loop serves an account that another one served."""
        self.note_work(now)
        self._next.clear()

    def due(self, now: float) -> WorkSource | None:
        """The source that has waited longest, if it is its turn. All sources in one round would
        take so long that the threads run out of work."""
        source = min(sources(), key=lambda one: self._next.get(one.name, 0.0))
        if now < self._next.get(source.name, 0.0):
            return None
        self._next[source.name] = now + (SWEEP_AT_REST if self.is_at_rest(now) else SWEEP_EVERY)
        return source

    def is_at_rest(self, now: float) -> bool:
        """Whether there was no work for a while. A loop begins as if it had just had some."""
        if self._busy_at is None:
            self._busy_at = now
        return now - self._busy_at > RESTS_AFTER
