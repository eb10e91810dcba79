"""Track which loops are alive, by their heartbeats in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Max
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils import timezone

from ..clock import sql_now
from ..models import Heartbeat, Lease, heartbeat, newest_engine_beat
from ..models.engine import LOOP_PREFIX
from .leases import LONGEST_LEASE, TIME_TO_LIVE

BEAT_EVERY = 5.0
"""Seconds between two heartbeats of a loop, whether it works or stands by."""
LOOP_TIMEOUT = timedelta(seconds=3 * BEAT_EVERY)
TAKEOVER_TIME = 10.0
"""Seconds within which another loop takes over. A shorter gap is normal."""


def beat(loop: UUID) -> None:
    heartbeat(LOOP_PREFIX + loop.hex, at=Now())


def remove(loop: UUID) -> None:
    Heartbeat.objects.filter(name=LOOP_PREFIX + loop.hex).delete()


def living_loops() -> list[UUID]:
    """The loops with a recent heartbeat, by the database's clock. One that lies ahead is from
    before the clock was set back, and says nothing."""
    beats = Heartbeat.objects.filter(name__startswith=LOOP_PREFIX)
    fresh = beats.filter(beat_at__gt=Now() - LOOP_TIMEOUT, beat_at__lt=Now() + LOOP_TIMEOUT)
    return [UUID(name.removeprefix(LOOP_PREFIX)) for name in fresh.values_list("name", flat=True)]


def seconds_since_last_beat() -> float:
    """Seconds since the newest heartbeat of any loop; 0 if there has never been one."""
    bound_future_beats()
    last = newest_engine_beat()
    return (timezone.now() - last).total_seconds() if last else 0.0


def bound_future_beats() -> None:
    """Let the silence count from now if a beat lies ahead, because the clock was set back."""
    ahead = Heartbeat.objects.filter(beat_at__gt=timezone.now() + LOOP_TIMEOUT)
    if ahead.exists():
        ahead.update(beat_at=timezone.now())


def prune() -> None:
    """Delete heartbeats that killed loops left behind more than a day ago."""
    old = timezone.now() - timedelta(days=1)
    Heartbeat.objects.filter(name__startswith=LOOP_PREFIX, beat_at__lt=old).delete()


def unserved_since() -> datetime | None:
    """The moment since which no loop has held a lease.

    None while one does, and if there is no account to serve. The epoch if no lease was ever held.
    """
    clock = Max(RawSQL(sql_now(), []))  # noqa: S611 - a constant of ours
    seen = Lease.objects.aggregate(newest=Max("expires_at"), now=clock)
    newest = seen["newest"]
    if newest is not None and newest > seen["now"] + LONGEST_LEASE:
        # From before the clock was set back. Its holder would have shortened it.
        newest = seen["now"] - TAKEOVER_TIME
    if newest is None or seen["now"] - newest < TAKEOVER_TIME - TIME_TO_LIVE:
        return None
    return datetime.fromtimestamp(max(newest - TIME_TO_LIVE, 0), UTC)
