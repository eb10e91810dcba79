"""What the queue does by the clock. The rows are made and mended after each migration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone


@dataclass(frozen=True, slots=True)
class Duty:
    name: str
    func: str
    minutes: int
    at: time | None = None
    """For a daily duty: never between 02:00 and 03:00, when clocks change."""


def duties() -> list[Duty]:
    return [
        Duty("queue: sign of life", "providers.tasks.beat", 1),
        Duty("engine: keep running", "providers.tasks.keep_engine_running", 1),
        Duty("batches: tend", "messaging.batches.tasks.tend", 1),
        Duty("callbacks: digest", "providers.tasks.digest_callbacks", 1),
        Duty("balances: read", "providers.tasks.read_balances", settings.BALANCE_EVERY_MINUTES),
        Duty("rented numbers: read lists", "rentals.tasks.read_lists", 10),
        Duty(
            "rented numbers: read lists whole",
            "rentals.tasks.read_lists_whole",
            24 * 60,
            at=time(3, 40),
        ),
        Duty("rented numbers: check ledger", "rentals.tasks.check_ledgers", 24 * 60, at=time(4, 0)),
        Duty("rented numbers: prune", "rentals.tasks.prune", 24 * 60, at=time(4, 40)),
        Duty("codes: expire", "otp.tasks.expire", 1),
        Duty("batches: prune", "messaging.batches.tasks.prune", 24 * 60, at=time(4, 30)),
        Duty("codes: prune", "otp.tasks.prune", 24 * 60, at=time(4, 20)),
        Duty("data: prune", "providers.tasks.prune", 24 * 60, at=time(4, 10)),
    ]


def ensure_schedules(**_: Any) -> None:
    """Receiver of `post_migrate`: may run any number of times."""
    from django_q.models import Schedule

    for duty in duties():
        schedule, made = Schedule.objects.get_or_create(
            name=duty.name, defaults={"func": duty.func, "next_run": _first_run(duty)}
        )
        changed = {
            "func": duty.func,
            "schedule_type": Schedule.MINUTES,
            "minutes": duty.minutes,
            "repeats": -1,
        }
        if made or any(getattr(schedule, name) != value for name, value in changed.items()):
            Schedule.objects.filter(pk=schedule.pk).update(**changed)


def _first_run(duty: Duty) -> datetime:
    now = timezone.localtime()
    if duty.at is None:
        return now
    today = now.replace(hour=duty.at.hour, minute=duty.at.minute, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)
