"""What a restore makes lawful: rows that are gone, and calls that a person released."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

SLACK = 2.0
"""Seconds between the moment that one process notes and the moment that another notes."""
NOTED_LATE = 10.0
"""Seconds after which a busy machine may note an answer that it got."""
PUSH_TAKES = 15.0
"""Seconds from the moment that the sandbox notes for a push to the moment when it is stored."""


@dataclass
class Past:
    """The copy that was restored, and when. Times are in seconds since 1970."""

    backed_up_at: float
    restored_at: float = 0.0
    released: set[str] = field(default_factory=set)
    """References, numbers and pairs whose calls a person had made again."""
    discarded: int = 0


def is_lost(
    past: Past | None, times: Iterable[float], *, early: float = SLACK, late: float = SLACK
) -> bool:
    """Whether the restore took back everything that was noted at these times.

    `early`, `late`: the seconds by which something may be noted too early or too late.
    """
    if past is None:
        return False
    first, last = past.backed_up_at - early, past.restored_at + late
    return all(first <= at <= last for at in times)


def may_repeat(past: Past | None, reference: str, times: list[float]) -> bool:
    """Whether exactly one repetition was released, and came after the restore."""
    if past is None or reference not in past.released or len(times) != 2:
        return False
    return times[0] <= past.restored_at + SLACK and times[1] >= past.restored_at
