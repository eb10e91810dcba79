"""Leases and heartbeats of the engine's loops and of periodic tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import models
from django.db.models import Max, Q
from django.db.models.functions import Now

from .. import clock
from .account import Account

LOOP_PREFIX: Final = "loop:"
"""Begins the name of a loop's heartbeat."""
ENGINE: Final = "engine"
"""The heartbeat of whichever loops hold leases."""


class Lease(models.Model):
    """Assigns an account to an engine loop. It saves work; safety comes from each row's claim.

    `expires_at` is in seconds since the epoch by the database's clock.
    """

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="lease"
    )
    holder = models.CharField(max_length=64, blank=True)
    expires_at = models.FloatField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"lease of account {self.account_id}"


class Heartbeat(models.Model):
    """When each part of the queue last proved that it works."""

    name = models.CharField(max_length=48, primary_key=True)
    beat_at = models.DateTimeField()
    detail = models.CharField(max_length=100, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


def heartbeat(name: str, detail: str = "", *, at: datetime | Now | None = None) -> None:
    Heartbeat.objects.update_or_create(
        name=name, defaults={"beat_at": at or clock.now(), "detail": detail}
    )


def newest_engine_beat() -> datetime | None:
    """The newest heartbeat of any loop; None if there has never been one."""
    loops = Heartbeat.objects.filter(Q(name__startswith=LOOP_PREFIX) | Q(name=ENGINE))
    newest: datetime | None = loops.aggregate(newest=Max("beat_at"))["newest"]
    return newest


class TaskLease(models.Model):
    """Assigns a task that must not run twice at once to a process.

    `expires_at` is in seconds since the epoch by the database's clock.
    """

    name = models.CharField(max_length=64, primary_key=True)
    holder = models.CharField(max_length=32, blank=True)
    expires_at = models.FloatField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
