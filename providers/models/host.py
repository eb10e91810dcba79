"""The hosts that run the portal on this database."""

from __future__ import annotations

from django.db import models

from ..clock import RowTimeField


class Host(models.Model):
    """One running `manage.py portal`. It writes its row again and again while it runs."""

    class Role(models.TextChoices):
        ALL = "all"
        WEB = "web"
        WORK = "work"

    name = models.CharField(max_length=100, unique=True)
    """The name of the machine; with a number if several portals run on it."""
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.ALL)
    version = models.CharField(max_length=40, blank=True)
    keys = models.CharField(max_length=16, blank=True)
    """The beginning of the check value of its keys."""
    started_at = RowTimeField()
    seen_at = RowTimeField()
    stopped_at = models.DateTimeField(null=True)
    """When it stopped in order."""
    cores = models.PositiveSmallIntegerField(null=True)
    load = models.FloatField(null=True)
    """Share of its processors that is busy, 0 to 1."""
    memory = models.BigIntegerField(null=True)
    """Bytes that the portal's processes use."""
    disk_free = models.BigIntegerField(null=True)
    """Bytes that are free where the data folder is."""
    clock_difference = models.FloatField(null=True)
    """Seconds by which its clock is ahead of the database's."""

    class Meta:
        ordering = ("name",)
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name
