"""Bring back times that lie further ahead than anything legitimate.

A clock that is set back leaves every stored "not before" as far ahead as the step: the queue, its
schedules and whole accounts would wait until then. Each such column has a bound of its
own. A time beyond it was written by another clock, so it is replaced. The loops do this when they
start, after a step of the clock, and each minute.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import models
from django_q.models import OrmQ, Schedule

from .. import clock
from ..models import Callback, Heartbeat

logger = logging.getLogger(__name__)

SOON: Final = timedelta(minutes=2)
"""Longer than any pause before a retry, and than clocks of hosts should differ."""


@dataclass(frozen=True, slots=True)
class FarTime:
    """A column whose values lie at most `bound` ahead. One beyond it becomes now + `then`."""

    rows: Callable[[], models.QuerySet[Any]]
    column: str
    bound: timedelta = SOON
    then: timedelta = timedelta()

    def bring_near(self, now: datetime) -> int:
        far = self.rows().filter(**{f"{self.column}__gt": now + self.bound})
        return far.update(**{self.column: now + self.then}) if far.exists() else 0


_registered: Final[dict[str, Callable[[datetime], int]]] = {}


def register(name: str, bring_near: Callable[[datetime], int]) -> None:
    """Register a function that brings times near and returns their number."""
    _registered[name] = bring_near


def bring_all_near() -> Mapping[str, int]:
    """Bring every registered time near. Returns what was found, and logs it."""
    now = clock.now()
    found = {name: number for name, each in _registered.items() if (number := each(now))}
    for name, number in found.items():
        logger.warning(
            "%s: %s lay further ahead than possible. Was the clock set back?", name, number
        )
    return found


# --- the queue and its own rows ----------------------------------------------


def _queue_locks(now: datetime) -> int:
    """Tasks that wait, or that a cluster had fetched. No task runs longer than its timeout, but
    those of the engine, which may run beside each other."""
    retry = timedelta(seconds=settings.Q_CLUSTER["retry"])
    after = timedelta(seconds=settings.Q_CLUSTER["timeout"] + 30)
    return FarTime(OrmQ.objects.all, "lock", retry + SOON, after).bring_near(now)


def _schedules(now: datetime) -> int:
    """Schedules that run every few minutes. A daily one is at most a day ahead."""
    far = 0
    for pk, minutes, next_run in Schedule.objects.values_list("pk", "minutes", "next_run"):
        if minutes and next_run and next_run > now + timedelta(minutes=minutes) + SOON:
            far += Schedule.objects.filter(pk=pk, next_run=next_run).update(next_run=now)
    return far


register("queued tasks", _queue_locks)
register("schedules", _schedules)
register("signs of life", FarTime(Heartbeat.objects.all, "beat_at", timedelta()).bring_near)
register(
    "callbacks",
    FarTime(
        lambda: Callback.objects.filter(state=Callback.State.RECEIVED, next_try_at__isnull=False),
        "next_try_at",
    ).bring_near,
)
