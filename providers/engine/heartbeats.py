"""Which loops are alive, by the signs of life that they give in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Max, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from ..clock import sql_now
from ..models import Heartbeat, Lease, heartbeat
from .leases import TIME_TO_LIVE

BEAT_EVERY = 5.0
"""Seconds between two signs of life of a loop, whether it works or stands by."""
LOOP_TIMEOUT = timedelta(seconds=3 * BEAT_EVERY)
_PREFIX = "loop:"


TAKEOVER_TIME = 10.0
"""Seconds within which another loop takes over; silence for less is nothing to speak of."""


def beat(loop: UUID) -> None:
    heartbeat(_PREFIX + loop.hex)


def remove(loop: UUID) -> None:
    Heartbeat.objects.filter(name=_PREFIX + loop.hex).delete()


def living_loops() -> list[UUID]:
    fresh = Heartbeat.objects.filter(
        name__startswith=_PREFIX, beat_at__gt=timezone.now() - LOOP_TIMEOUT
    )
    return [UUID(name.removeprefix(_PREFIX)) for name in fresh.values_list("name", flat=True)]


def seconds_since_last_beat() -> float:
    """Seconds since the last sign of life of any loop; 0 where none ever gave one."""
    loops = Heartbeat.objects.filter(Q(name__startswith=_PREFIX) | Q(name="engine"))
    last: datetime | None = loops.aggregate(last=Max("beat_at"))["last"]
    return (timezone.now() - last).total_seconds() if last else 0.0


def prune() -> None:
    """Loops that were killed leave their last sign of life behind."""
    old = timezone.now() - timedelta(days=1)
    Heartbeat.objects.filter(name__startswith=_PREFIX, beat_at__lt=old).delete()


def unserved_since() -> datetime | None:
    """Since when no loop has held a lease; None while one does, or where there is no
    account to hold a lease of. The beginning of time where none was ever held."""
    clock = Max(RawSQL(sql_now(), []))  # noqa: S611 - a constant of ours
    seen = Lease.objects.aggregate(newest=Max("expires_at"), now=clock)
    newest = seen["newest"]
    if newest is None or seen["now"] - newest < TAKEOVER_TIME - TIME_TO_LIVE:
        return None
    return datetime.fromtimestamp(max(newest - TIME_TO_LIVE, 0), UTC)
