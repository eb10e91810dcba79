"""Who does the work, and whether they are alive."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone

from .account import Account


class Lease(models.Model):
    """Which engine loop serves an account. Economy only: safety is each row's claim.

    `expires_at` is seconds since the epoch by the database's clock.
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
    """When each part of the queue last showed that work gets through it."""

    name = models.CharField(max_length=48, primary_key=True)
    beat_at = models.DateTimeField()
    detail = models.CharField(max_length=100, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


def heartbeat(name: str, detail: str = "", *, at: datetime | None = None) -> None:
    Heartbeat.objects.update_or_create(
        name=name, defaults={"beat_at": at or timezone.now(), "detail": detail}
    )


class TaskLease(models.Model):
    """Which process does a duty that must not be done twice at a time.

    `expires_at` is seconds since the epoch by the database's clock.
    """

    name = models.CharField(max_length=64, primary_key=True)
    holder = models.CharField(max_length=32, blank=True)
    expires_at = models.FloatField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
