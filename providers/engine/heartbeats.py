"""Track which loops are alive, by their heartbeats in the database and its clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Case, F, Max, Q, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from .. import clock
from ..clock import database_now, sql_now
from ..models import Heartbeat, Lease, heartbeat, newest_engine_beat
from ..models.engine import LOOP_PREFIX

BEAT_EVERY: Final = 2.0
"""Seconds between two heartbeats of a loop, whether it works or is on standby."""
LOOP_TIMEOUT: Final = timedelta(seconds=15)
SHARING_TIMEOUT: Final = 6.0
"""Seconds without a heartbeat after which a loop has no share in the accounts any more. Its leases
expire at the same time."""
LONGEST_LEASE: Final = SHARING_TIMEOUT + 1.0
"""Seconds. A lease that ends later is from before the database's clock was set back."""
QUEUE_PREFIX: Final = "queue:"
"""Of the heartbeats that the default queue of each host leaves."""
CLOCK_PREFIX: Final = "clock:"
"""Of the rows in which each host notes the state of its clocks (`clock_watch`)."""
RESUMED: Final = "engine resumed"
"""The heartbeat that a loop leaves when it is the first to take a lease after a longer gap."""
TAKEOVER_TIME = 10.0
"""Seconds within which another loop takes over. A shorter gap is normal."""


def beat(loop: UUID, host: str = "") -> None:
    """Record that a loop lives. With its host, it also shares in the accounts."""
    heartbeat(LOOP_PREFIX + loop.hex, host, at=Now())


def touch(loop: UUID) -> None:
    """Renew the heartbeat of a loop that has one."""
    Heartbeat.objects.filter(name=LOOP_PREFIX + loop.hex).update(beat_at=Now())


def remove(loop: UUID) -> None:
    Heartbeat.objects.filter(name=LOOP_PREFIX + loop.hex).delete()


_disowned: dict[UUID, datetime] = {}
"""By loop of this process, the moment before which its marks belong to a past that it left."""


def disown_marks(loop: UUID) -> None:
    """Note that a loop leaves a past of the database. Older rows with its claim may be of a backup,
    whose calls it no longer remembers."""
    _disowned[loop] = clock.now()


def is_owner_alive(claim: str, marked_at: str) -> Q:
    """Rows whose call a living loop remembers, by the names of the two columns."""
    alive = Q(**{f"{claim}__in": living_loops()})
    for loop, left_at in _disowned.items():
        alive &= ~Q(**{claim: loop, f"{marked_at}__lt": left_at})
    return alive


def living_loops() -> list[UUID]:
    """The loops with a recent heartbeat, by the database's clock. One that lies ahead is from
    before the clock was set back, and says nothing."""
    beats = Heartbeat.objects.filter(name__startswith=LOOP_PREFIX)
    fresh = beats.filter(beat_at__gt=Now() - LOOP_TIMEOUT, beat_at__lt=Now() + LOOP_TIMEOUT)
    return [UUID(name.removeprefix(LOOP_PREFIX)) for name in fresh.values_list("name", flat=True)]


def sharing_loops() -> dict[str, str]:
    """The loops among which the accounts are shared, with their hosts.

    A loop that stops has no host here, and neither has a loop of an older version.
    """
    now, limit = _now(), timedelta(seconds=SHARING_TIMEOUT)
    # A heartbeat ahead of the clock was written before the clock was set back.
    fresh = Heartbeat.objects.filter(
        name__startswith=LOOP_PREFIX, beat_at__gt=now - limit, beat_at__lt=now + limit
    ).exclude(detail="")
    return {
        name.removeprefix(LOOP_PREFIX): host for name, host in fresh.values_list("name", "detail")
    }


def seconds_since_last_beat() -> float:
    """Seconds since the newest heartbeat of any loop; 0 if there has never been one."""
    bound_future_beats()
    last = newest_engine_beat()
    return max(0.0, (_now() - last).total_seconds()) if last else 0.0


def bound_future_beats() -> None:
    """Let the silence count from now if a beat lies ahead, because the clock was set back."""
    now = _now()
    ahead = Heartbeat.objects.filter(beat_at__gt=now + LOOP_TIMEOUT)
    if ahead.exists():
        ahead.update(beat_at=now)


def prune() -> None:
    """Delete heartbeats that dead loops and queues left behind more than a day ago."""
    old = _now() - timedelta(days=1)
    left_behind = Q()
    for prefix in (LOOP_PREFIX, QUEUE_PREFIX, CLOCK_PREFIX):
        left_behind |= Q(name__startswith=prefix)
    Heartbeat.objects.filter(left_behind, beat_at__lt=old).delete()


def unserved_since() -> datetime | None:
    """The moment since which no loop has held a lease.

    None while one does, and if there is no account to serve. The epoch if no lease was ever held.
    """
    clock = Max(RawSQL(sql_now(), []))  # noqa: S611 - a constant of ours
    # A lease that was freed says when; another one expires some time after the last renewal.
    seen_by = Case(When(holder="", then=F("expires_at")), default=F("expires_at") - SHARING_TIMEOUT)
    seen = Lease.objects.aggregate(newest=Max(seen_by), now=clock)
    newest = seen["newest"]
    if newest is not None and newest > seen["now"] + LONGEST_LEASE:
        # From before the clock was set back. Its holder would have shortened it.
        newest = seen["now"] - TAKEOVER_TIME
    if newest is None or seen["now"] - newest < TAKEOVER_TIME:
        return None
    return datetime.fromtimestamp(max(newest, 0), UTC)


def note_end_of_gap() -> None:
    """A loop is about to take a lease, while nobody holds one."""
    if unserved_since() is not None:
        heartbeat(RESUMED, at=Now())


def resumed_at() -> datetime | None:
    """When the engine last began to serve again after a gap."""
    return Heartbeat.objects.filter(name=RESUMED).values_list("beat_at", flat=True).first()


def _now() -> datetime:
    return datetime.fromtimestamp(database_now(), UTC)
