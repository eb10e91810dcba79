"""The memory of every process, and the rows of the tables that must not grow."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.contrib.sessions.models import Session
from django.db import connection
from django_q.models import OrmQ, Success

from core.models import Act
from providers.models import Heartbeat, Lease, TaskLease

from .portal_host import PortalHost, rss_of

MEGABYTE = 1024 * 1024
WARM_UP = 90.0
"""Seconds after which a process has loaded what it needs."""
LONG_ENOUGH = 300.0
"""Seconds of samples, after the warm-up, from which a trend can be calculated."""
MOST_GROWTH = 30.0
"""Megabytes an hour."""
LEAST_GROWTH = 12.0
"""Megabytes that a process may grow in all, whatever the trend."""
MOST_ROWS = {
    "queued tasks": 60,
    "heartbeats": 200,
    "leases": 20,
    "task leases": 60,
    "sessions": 20,
    "cache": 3000,
}
MOST_A_MINUTE = {"finished tasks": 120}
"""Tables whose rows are kept for a while and then deleted."""

Sample = tuple[float, float]
"""Seconds since the start of the run, and megabytes."""


class Memory:
    def __init__(self) -> None:
        self._started = time.monotonic()
        self._samples: dict[tuple[str, str, int], list[Sample]] = defaultdict(list)
        """By host, kind and number of the process."""

    def take(self, hosts: Sequence[PortalHost]) -> None:
        now = time.monotonic() - self._started
        for host in hosts:
            for one in host.classified():
                if rss := rss_of(one.pid):
                    self.note(host.name, one.kind, one.pid, [(now, rss / MEGABYTE)])

    def note(self, host: str, kind: str, pid: int, samples: Sequence[Sample]) -> None:
        self._samples[host, kind, pid] += samples

    def longest(self) -> dict[str, list[float]]:
        """By kind, the megabytes of the process that lived longest, about once a minute."""
        found: dict[str, list[Sample]] = {}
        for (_, kind, _), samples in self._samples.items():
            if len(samples) > len(found.get(kind, ())):
                found[kind] = samples
        return {
            kind: [round(megabytes, 1) for _, megabytes in samples[::6]]
            for kind, samples in sorted(found.items())
        }

    def highest(self) -> dict[str, float]:
        """The most megabytes of any process, by kind."""
        found: dict[str, float] = defaultdict(float)
        for (_, kind, _), samples in self._samples.items():
            found[kind] = max(found[kind], *(megabytes for _, megabytes in samples))
        return {kind: round(most, 1) for kind, most in sorted(found.items())}

    def growing(self) -> Iterator[str]:
        """Processes that lived long enough and kept growing."""
        for (host, kind, pid), samples in self._samples.items():
            born = samples[0][0]
            warm = [sample for sample in samples if sample[0] - born >= WARM_UP]
            if len(warm) < 3 or warm[-1][0] - warm[0][0] < LONG_ENOUGH:
                continue
            third = len(warm) // 3
            first = statistics.median(megabytes for _, megabytes in warm[:third])
            last = statistics.median(megabytes for _, megabytes in warm[-third:])
            hours = (warm[-1][0] - warm[0][0]) * 2 / 3 / 3600
            if last - first > max(LEAST_GROWTH, MOST_GROWTH * hours):
                yield f"{kind} {pid} on {host} grew from {first:.0f} to {last:.0f} MB"


def service_rows() -> dict[str, int]:
    return {
        "queued tasks": OrmQ.objects.count(),
        "finished tasks": Success.objects.count(),
        "heartbeats": Heartbeat.objects.count(),
        "leases": Lease.objects.count(),
        "task leases": TaskLease.objects.count(),
        "sessions": Session.objects.count(),
        "cache": _cache_rows(),
        "acts": Act.objects.count(),
    }


def too_many_rows(minutes: float) -> Iterator[str]:
    allowed = MOST_ROWS | {name: round(most * minutes) for name, most in MOST_A_MINUTE.items()}
    for name, number in service_rows().items():
        if number > allowed.get(name, number):
            yield f"{number} {name}, where {allowed[name]} are allowed"


def _cache_rows() -> int:
    if connection.vendor == "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM portal_json_cache")
        return int(cursor.fetchone()[0])
