"""Exempt numbers, prefixes, people and accounts from caps until a date."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction

from core.acts import record_act
from core.phones.parse import mask

from .. import clock
from ..models import CapExemption

LONGEST: Final = timedelta(days=366)
KEPT: Final = timedelta(days=90)
"""Ended ones stay listed this long."""


def exempt(
    scope: CapExemption.Scope, key: str, *, until: datetime, because: str, by: User
) -> CapExemption:
    """Exempt something until a time, and record who did and why."""
    with transaction.atomic():
        made = CapExemption.objects.create(
            scope=scope, key=key, ends_at=until, because=because, created_by=by
        )
        record_act(
            "cap.exempt",
            by=by,
            subject=f"exemption:{made.public_id}",
            reason=because,
            scope=str(scope),
            key=mask(key) if scope == CapExemption.Scope.NUMBER else key,
            until=until.isoformat(),
        )
    return made


def end(exemption: CapExemption, by: User) -> bool:
    """End an exemption before its time. False if it has ended already."""
    now = clock.now()
    current = CapExemption.objects.filter(pk=exemption.pk, ended_at=None, ends_at__gt=now)
    with transaction.atomic():
        if not current.update(ended_at=now, ended_by=by):
            return False
        record_act("cap.end_exemption", by=by, subject=f"exemption:{exemption.public_id}")
    return True


def has_ended(exemption: CapExemption) -> bool:
    return exemption.ended_at is not None or exemption.ends_at <= clock.now()


def prune() -> int:
    """Delete exemptions that ended long ago."""
    return CapExemption.objects.filter(ends_at__lt=clock.now() - KEPT).delete()[0]
