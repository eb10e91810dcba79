"""The states of a job, and which may follow which."""

from __future__ import annotations

from typing import Final

from core.models import ExportJob
from core.states import StateTable

S = ExportJob.State
EXPORT_STATES: Final = StateTable(
    {
        S.WAITING: frozenset({S.RUNNING, S.CANCELLED}),
        # A job whose slice was killed is taken again.
        S.RUNNING: frozenset({S.RUNNING, S.READY, S.STOPPED, S.CANCELLED}),
        S.READY: frozenset({S.ENDED}),
        S.CANCELLED: frozenset(),
        S.STOPPED: frozenset(),
        S.ENDED: frozenset(),
    }
)
