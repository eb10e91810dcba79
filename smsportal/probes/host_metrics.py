"""Metrics of the portal as a whole and of its hosts: version, heartbeats, hold, disks, backup."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.db.models import F
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric

from providers import clock
from providers.engine.heartbeats import living_loops
from providers.models import Heartbeat, Hold, Host

from ..version import portal_version

SEEN_WITHIN: Final = timedelta(minutes=10)
HOST_FIGURES: Final = (
    ("disk_free", "smsportal_host_disk_free_bytes", "Free bytes where the data folder is."),
    ("memory", "smsportal_host_memory_bytes", "Bytes that the portal's processes use."),
    (
        "clock_difference",
        "smsportal_host_clock_difference_seconds",
        "Seconds by which the clock of the host is ahead of the database's.",
    ),
)


def collect() -> Iterator[Metric]:
    yield InfoMetricFamily(
        "smsportal", "The version of this host.", value={"version": portal_version()}
    )
    hold = Hold.objects.filter(ended_at=None).exists()
    yield GaugeMetricFamily(
        "smsportal_hold", "1 while calls are on hold after a restore.", value=int(hold)
    )
    yield GaugeMetricFamily(
        "smsportal_engine_loops", "Loops of the engine that are alive.", value=len(living_loops())
    )
    yield from _ages()
    yield from _hosts()


def _ages() -> Iterator[Metric]:
    beats = dict(
        Heartbeat.objects.filter(name__in=("queue", "backup")).values_list("name", "beat_at")
    )
    texts = {
        "queue": ("smsportal_queue_silence_seconds", "Seconds since the queue last did a task."),
        "backup": ("smsportal_backup_age_seconds", "Seconds since the last backup."),
    }
    for name, (metric, text) in texts.items():
        if name in beats:
            age = (clock.now() - beats[name]).total_seconds()
            yield GaugeMetricFamily(metric, text, value=max(0.0, age))


def _hosts() -> Iterator[Metric]:
    alive = Host.objects.filter(seen_at__gt=clock.now() - SEEN_WITHIN).exclude(
        stopped_at__gte=F("started_at")
    )
    hosts = list(alive)
    for field, metric, text in HOST_FIGURES:
        family = GaugeMetricFamily(metric, text, labels=("host",))
        for host in hosts:
            if (value := getattr(host, field)) is not None:
                family.add_metric((host.name,), float(value))
        yield family
