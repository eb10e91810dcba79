"""What a rule would have found in the last 7 days, and how often it would have told whom.

Nothing is stored and nobody is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .evaluate import CALM
from .kinds import Kind
from .models import Receiver, Rule
from .quiet_hours import end_of_quiet
from .replays.spells import Past, Spell, joined


@dataclass(frozen=True, slots=True)
class Rehearsal:
    spells: list[Spell]
    """Newest first."""
    told: list[tuple[Receiver, int]]
    """How many alerts each receiver would have got, without repetitions and ends."""
    since: datetime
    is_shortened: bool
    """Whether what was read does not reach back 7 days."""


def rehearse(
    kind: Kind, rule: Rule, receivers: Iterable[Receiver], now: datetime
) -> Rehearsal | None:
    """None if nothing is kept of what this kind looks at."""
    if kind.replay is None:
        return None
    past = Past.of(rule, now)
    found = [
        spell
        for spell in kind.replay(rule, past)
        if rule.account_id in (None, spell.account) and (spell.ended or now) >= past.since
    ]
    spells = joined(found, CALM)
    told = [
        (one, count_alerts(spells, rule, one, now, is_event=kind.is_event)) for one in receivers
    ]
    newest = sorted(spells, key=lambda one: one.began, reverse=True)
    return Rehearsal(newest, told, past.since, past.since > past.start)


def count_alerts(
    spells: Sequence[Spell], rule: Rule, receiver: Receiver, now: datetime, *, is_event: bool
) -> int:
    """How many alerts tell that something began. `spells`: oldest first."""
    gap = timedelta(minutes=rule.every_minutes)
    told, position = 0, 0
    free_at: datetime | None = None
    while position < len(spells):
        at = spells[position].began
        if free_at is not None:
            at = max(at, free_at)
        at = end_of_quiet(rule.quiet_from, rule.quiet_until, at, receiver.zone)
        if at > now:
            break
        first = position
        while position < len(spells) and spells[position].began <= at:
            position += 1
        due = spells[first:position]
        if is_event or any(one.ended is None or one.ended > at for one in due):
            told, free_at = told + 1, at + gap
    return told
