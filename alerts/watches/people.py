"""What people wait for, and what they do that others should know of at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from core.models import Act
from providers.approvals.requests import waiting

from ..facts import Facts, Finding
from ..models import Rule
from ..texts import APPROVALS, EMERGENCY

EMERGENCY_ACTS: Final = ("sign_in.emergency",)
"""The acts of signing in with an account that is kept for emergencies."""
LOOKED_BACK: Final = timedelta(hours=1)


def approvals_waiting(rule: Rule, facts: Facts) -> Iterator[Finding]:
    since = facts.now - timedelta(minutes=rule.limit or 0)
    count = waiting().filter(asked_at__lte=since).count()
    if count:
        yield Finding("approvals", APPROVALS.store(minutes=rule.limit or 0, count=count))


def emergency_sign_ins(rule: Rule, facts: Facts) -> Iterator[Finding]:
    """Each is told once. Those from before the rule are not."""
    since = max(facts.now - LOOKED_BACK, rule.created_at)
    acts = Act.objects.filter(what__in=EMERGENCY_ACTS, at__gte=since).order_by("pk")
    for key in acts.values_list("pk", flat=True):
        yield Finding(f"act:{key}", EMERGENCY.store())
