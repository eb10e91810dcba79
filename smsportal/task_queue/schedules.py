"""Scheduled tasks of the queue. Each migration creates missing rows and repairs changed ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone


@dataclass(frozen=True, slots=True)
class ScheduledTask:
    """A function that the queue runs every `minutes` minutes."""

    name: str
    func: str
    minutes: int
    at: time | None = None
    """Start time of a daily task. Avoid 02:00 to 03:00, when clocks change."""


def scheduled_tasks() -> list[ScheduledTask]:
    return [
        ScheduledTask("queue: sign of life", "providers.tasks.beat", 1),
        ScheduledTask("engine: keep running", "providers.tasks.keep_engine_running", 1),
        ScheduledTask("hold: end", "providers.tasks.end_decided_hold", 1),
        ScheduledTask("batches: tend", "messaging.batches.tasks.tend", 1),
        ScheduledTask("callbacks: digest", "providers.tasks.digest_callbacks", 1),
        ScheduledTask(
            "balances: read", "providers.tasks.read_balances", settings.BALANCE_EVERY_MINUTES
        ),
        ScheduledTask("rented numbers: read lists", "rentals.tasks.read_lists", 10),
        ScheduledTask(
            "rented numbers: read lists whole",
            "rentals.tasks.read_lists_whole",
            24 * 60,
            at=time(3, 40),
        ),
        ScheduledTask(
            "rented numbers: check ledger", "rentals.tasks.check_ledgers", 24 * 60, at=time(4, 0)
        ),
        ScheduledTask("rented numbers: prune", "rentals.tasks.prune", 24 * 60, at=time(4, 40)),
        ScheduledTask("codes: expire", "otp.tasks.expire", 1),
        ScheduledTask("batches: prune", "messaging.batches.tasks.prune", 24 * 60, at=time(4, 30)),
        ScheduledTask("codes: prune", "otp.tasks.prune", 24 * 60, at=time(4, 20)),
        ScheduledTask("data: prune", "providers.tasks.prune", 24 * 60, at=time(4, 10)),
        ScheduledTask("sign-ins: prune", "smsportal.tasks.prune", 24 * 60, at=time(4, 50)),
        ScheduledTask("exports: go on", "core.tasks.continue_exports", 1),
        ScheduledTask("audit: seal", "audit.tasks.seal", 1),
        ScheduledTask("privacy: go on", "privacy.tasks.go_on", 1),
        ScheduledTask("privacy: forget", "privacy.tasks.forget", 24 * 60, at=time(5, 0)),
        ScheduledTask("alerts: watch", "alerts.tasks.watch", 1),
        ScheduledTask("alerts: ping", "alerts.tasks.ping", 1),
        ScheduledTask("alerts: prune", "alerts.tasks.prune", 24 * 60, at=time(5, 10)),
        ScheduledTask("figures: count", "figures.tasks.bring_up_to_date", 1),
        ScheduledTask("backup: when due", "smsportal.backup.tasks.start_when_due", 10),
    ]


def ensure_schedules(**_: Any) -> None:
    """Receiver of `post_migrate`. Idempotent."""
    from django_q.models import Schedule

    for task in scheduled_tasks():
        schedule, created = Schedule.objects.get_or_create(
            name=task.name, defaults={"func": task.func, "next_run": _first_run(task)}
        )
        expected = {
            "func": task.func,
            "schedule_type": Schedule.MINUTES,
            "minutes": task.minutes,
            "repeats": -1,
        }
        if created or any(getattr(schedule, name) != value for name, value in expected.items()):
            Schedule.objects.filter(pk=schedule.pk).update(**expected)


def _first_run(task: ScheduledTask) -> datetime:
    now = timezone.localtime()
    if task.at is None:
        return now
    today = now.replace(hour=task.at.hour, minute=task.at.minute, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)
