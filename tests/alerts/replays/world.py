"""What the tests of replays share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from alerts.kinds import BY_KEY
from alerts.models import Rule
from alerts.rehearsal import Rehearsal, rehearse
from alerts.replays.spells import Spell

Hours = tuple[float, float | None]


def rehearsed(kind: str, now: datetime, **fields: Any) -> Rehearsal:
    """The test of a rule that is not stored."""
    of_kind = BY_KEY[kind]
    limits = {
        name: threshold.default
        for name in ("limit", "least")
        if (threshold := getattr(of_kind, name)) is not None
    }
    rehearsal = rehearse(of_kind, Rule(kind=kind, **{**limits, **fields}), (), now)
    assert rehearsal is not None
    return rehearsal


def hours(spells: list[Spell], now: datetime) -> list[Hours]:
    """When each began and ended, in hours before now; newest first."""
    return [
        (_ago(one.began, now), None if one.ended is None else _ago(one.ended, now))
        for one in spells
    ]


def _ago(moment: datetime, now: datetime) -> float:
    return round((now - moment) / timedelta(hours=1), 2)
