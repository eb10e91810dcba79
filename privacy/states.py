"""The states of an erasure, and which may follow which."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.states import StateTable


class ErasureState(StrEnum):
    WAITING = "waiting"
    """For a slice to begin."""
    RUNNING = "running"
    UNDER_WAY = "under_way"
    """Something with the number is under way. The job looks again later."""
    DONE = "done"
    STOPPED = "stopped"
    """A legal hold was set, or a person stopped it."""


S = ErasureState
OPEN: Final = frozenset({S.WAITING, S.RUNNING, S.UNDER_WAY})
ERASURE_STATES: Final = StateTable(
    {
        S.WAITING: frozenset({S.RUNNING, S.STOPPED}),
        # An erasure whose slice was killed is taken again.
        S.RUNNING: frozenset({S.RUNNING, S.WAITING, S.UNDER_WAY, S.DONE, S.STOPPED}),
        S.UNDER_WAY: frozenset({S.RUNNING, S.STOPPED}),
        S.DONE: frozenset(),
        S.STOPPED: frozenset(),
    }
)
