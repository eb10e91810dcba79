"""Leases and heartbeats of the engine's loops and of periodic tasks."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from .account import Account


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
        name=name, defaults={"beat_at": at or timezone.now(), "detail": detail}
    )


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
