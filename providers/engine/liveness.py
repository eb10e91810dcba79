"""Which loops are alive, by the signs of life that they give in the database."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, Q
from django.utils import timezone

from ..models import Heartbeat, heartbeat

BEAT_EVERY = 5.0
"""Seconds between two signs of life of a loop, whether it works or stands by."""
MISSED = timedelta(seconds=3 * BEAT_EVERY)
_PREFIX = "loop:"


def beat(loop: UUID) -> None:
    heartbeat(_PREFIX + loop.hex)


def leave(loop: UUID) -> None:
    Heartbeat.objects.filter(name=_PREFIX + loop.hex).delete()


def living_loops() -> list[UUID]:
    fresh = Heartbeat.objects.filter(name__startswith=_PREFIX, beat_at__gt=timezone.now() - MISSED)
    return [UUID(name.removeprefix(_PREFIX)) for name in fresh.values_list("name", flat=True)]


def silent_for() -> float:
    """Seconds since the last sign of life of any loop; 0 where none ever gave one."""
    loops = Heartbeat.objects.filter(Q(name__startswith=_PREFIX) | Q(name="engine"))
    last: datetime | None = loops.aggregate(last=Max("beat_at"))["last"]
    return (timezone.now() - last).total_seconds() if last else 0.0


def forget_the_dead() -> None:
    """Loops that were killed leave their last sign of life behind."""
    old = timezone.now() - timedelta(days=1)
    Heartbeat.objects.filter(name__startswith=_PREFIX, beat_at__lt=old).delete()
