"""Clear columns whose time is over, by the rules that a manager confirmed.

Each chunk of rows is one short transaction. The rule keeps how far it is, so that a night looks
only at rows that have grown old since. Once a week it begins at the oldest row again, for rows that
were under way or on legal hold.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from core.personal_data import held_numbers
from core.phones.traces import Traces
from core.retention import Kind, Part, find
from providers import clock

from .models import RetentionRule

SLICE_SECONDS: Final = 12.0
CHUNK: Final = 1_000
LOOK_AGAIN_AFTER: Final = timedelta(days=7)


def run_slice(seconds: float = SLICE_SECONDS) -> bool:
    """Clear for some seconds. Returns whether there is more to clear now."""
    until = time.monotonic() + seconds
    for rule in RetentionRule.objects.exclude(days=None).order_by("pk"):
        kind = find(rule.kind)
        if kind is None or not kind.cleared:
            continue
        while _clear_chunk(kind, rule):
            if time.monotonic() >= until:
                return True
        for part in kind.also:
            while _clear_part(part, rule):
                if time.monotonic() >= until:
                    return True
    return False


def _clear_part(part: Part, rule: RetentionRule) -> bool:
    """Clear the oldest rows. Returns whether there may be more."""
    limit = clock.now() - timedelta(days=rule.days or 0)
    with transaction.atomic():
        oldest = part.due(limit).order_by(part.time).values_list("pk", flat=True)[:CHUNK]
        chunk = list(oldest)
        part.rows().filter(pk__in=chunk).order_by().update(**part.cleared)
    return len(chunk) == CHUNK


def _clear_chunk(kind: Kind, rule: RetentionRule) -> bool:
    """Look at the next rows. Returns whether there may be more."""
    now = clock.now()
    if rule.began_at is None or now - rule.began_at > LOOK_AGAIN_AFTER:
        rule.began_at, rule.reached_at, rule.reached_id = now, None, 0
    with transaction.atomic():
        chunk = list(_following(kind, rule, now)[:CHUNK])
        clearable = kind.rows().filter(pk__in=[pk for pk, _at in chunk]).order_by()
        for number in held_numbers() if kind.number else ():
            writings = Traces(number).plain_writings
            clearable = clearable.exclude(**{f"{kind.number}__in": writings})
        # The condition stands in the UPDATE itself, so a row that has moved since stays.
        clearable.update(**kind.cleared)
        if chunk:
            rule.reached_id, rule.reached_at = chunk[-1]
        kept = ("began_at", "reached_at", "reached_id")
        # Not `save`: a rule that was confirmed meanwhile begins at its first row.
        own = RetentionRule.objects.filter(pk=rule.pk, confirmed_at=rule.confirmed_at)
        own.update(**{name: getattr(rule, name) for name in kept})
    return len(chunk) == CHUNK


def _following(kind: Kind, rule: RetentionRule, now: datetime) -> Any:
    """The keys and times of the rows behind the last one, by the index of times."""
    model = kind.rows().model
    rows = model._base_manager.filter(**{f"{kind.time}__lt": now - timedelta(days=rule.days or 0)})
    if rule.reached_at is not None:
        at = {kind.time: rule.reached_at}
        rows = rows.filter(**{f"{kind.time}__gte": rule.reached_at}).filter(
            Q(**{f"{kind.time}__gt": rule.reached_at}) | Q(**at, pk__gt=rule.reached_id)
        )
    return rows.order_by(kind.time, "pk").values_list("pk", kind.time)


def begin_again() -> None:
    """Let every rule begin at its first row: a legal hold was lifted."""
    RetentionRule.objects.update(began_at=None)
