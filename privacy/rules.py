"""The confirmed rules of how long data is kept, and their preview.

A rule is confirmed with the preview that the person saw: a signature over the rule, what applied
before, the counts and their moment. A preview that is old, or of other rules, confirms nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.db.models import QuerySet

from core.acts import record_act
from core.retention import Kind, Part, days_of, find
from providers import clock

from .models import RetentionRule

MOST_COUNTED: Final = 1_000_000
VALID_FOR: Final = timedelta(minutes=30)
_SALT: Final = "privacy.retention"


class PreviewOutdated(Exception):
    """The preview is not the one of this rule now."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What goes by a rule."""

    kind: Kind
    days: int | None
    count: int
    """Up to `MOST_COUNTED`."""
    oldest: datetime | None
    as_of: datetime

    @property
    def is_more(self) -> bool:
        return self.count >= MOST_COUNTED

    @property
    def signature(self) -> str:
        return signing.dumps(_signed(self), salt=_SALT)


def rules() -> Mapping[str, int | None]:
    return dict(RetentionRule.objects.values_list("kind", "days"))


def preview(kind: Kind, days: int | None) -> Preview:
    """Count what goes, without deleting anything."""
    now = clock.now()
    if days is None:
        return Preview(kind, None, 0, None, now)
    sources: list[Kind | Part] = [kind, *kind.also]
    found = [_counted(source.due(now - timedelta(days=days)), source.time) for source in sources]
    oldest = min((moment for _count, moment in found if moment is not None), default=None)
    count = min(sum(count for count, _moment in found), MOST_COUNTED)
    return Preview(kind, days, count, oldest, now)


def _counted(due: QuerySet[Any], time: str) -> tuple[int, datetime | None]:
    """How many rows are due, up to `MOST_COUNTED`, and the time of the oldest."""
    count = due.order_by().values("pk")[:MOST_COUNTED].count()
    oldest = due.order_by(time).values_list(time, flat=True).first() if count else None
    return count, oldest


def _signed(shown: Preview) -> dict[str, Any]:
    return {
        "kind": shown.kind.key,
        "days": shown.days,
        "before": days_of(shown.kind.key),
        "count": shown.count,
        "as_of": shown.as_of.isoformat(),
    }


def confirm(signature: str, by: User) -> RetentionRule:
    """Make the rule of a preview apply. Raises `PreviewOutdated`."""
    try:
        shown = signing.loads(signature, salt=_SALT, max_age=VALID_FOR)
    except signing.BadSignature:
        raise PreviewOutdated from None
    kind = find(shown["kind"])
    if kind is None or days_of(kind.key) != shown["before"]:
        raise PreviewOutdated
    with transaction.atomic():
        rule, _created = RetentionRule.objects.update_or_create(
            kind=kind.key,
            defaults={
                "days": shown["days"],
                "confirmed_by": by,
                "confirmed_at": clock.now(),
                "reached_at": None,
                "reached_id": 0,
            },
        )
        record_act(
            "retention.confirm",
            by=by,
            subject=f"retention:{rule.pk}",
            kind=kind.key,
            days=shown["days"],
            before=shown["before"],
            count=shown["count"],
            as_of=shown["as_of"],
        )
    return rule
