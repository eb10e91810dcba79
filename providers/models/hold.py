"""The fence, which shows that a database is older than what was done, and the hold that follows."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..clock import RowTimeField


class Fence(models.Model):
    """The portal's only row of this table: a counter that only rises.

    Every transaction that marks a call in flight raises it. Every host keeps the highest value
    that it has seen in files. A database with a lower value is older than what was done.
    """

    SINGLETON = 1

    counter = models.BigIntegerField(default=0)
    identity = models.CharField(max_length=200, blank=True)
    """The database server's own name for this database (PostgreSQL), when it was last checked."""
    restored_at = models.DateTimeField(null=True)
    """When a backup was restored into this database. NULL once that has led to a verdict."""
    restored_from = models.CharField(max_length=200, blank=True)
    checked_at = models.DateTimeField(null=True)
    """When a start of the portal last decided whether this database can be trusted."""
    verdict = models.CharField(max_length=32, blank=True)
    """What it decided: a value of `providers.hold.verdict.Verdict`."""
    details = models.JSONField(default=dict)
    """What the verdict was based on."""

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"fence {self.counter}"


class Hold(models.Model):
    """A time in which nothing from before it is sent until a person releases it.

    The rows that it holds point to it. There is at most one hold that has not ended.
    """

    class Cause(models.TextChoices):
        RESTORED = "restored", _("Restored from a backup")
        OLDER = "older", _("The database is older than what was done")
        NO_FENCE = "no_fence", _("Nothing shows how old the database is")
        GAP = "gap", _("The portal was stopped for a long time")
        BY_HAND = "by_hand", _("Put on hold by hand")

    cause = models.CharField(max_length=16, choices=Cause.choices)
    details = models.JSONField(default=dict)
    """What is known about the past: times and counters, see `providers.hold`."""
    started_at = RowTimeField()
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    reason = models.CharField(max_length=200, blank=True)
    """Why a person put the portal on hold."""
    ended_at = models.DateTimeField(null=True)
    """When nothing was left to decide."""

    class Meta:
        ordering = ("-started_at", "-pk")
        verbose_name = pgettext_lazy("model", "hold")
        verbose_name_plural = pgettext_lazy("model", "holds")
        default_permissions = ()
        permissions = [("release_hold", "Can release what is on hold")]
        constraints = [
            models.UniqueConstraint(
                models.Value(1), name="one_hold_at_a_time", condition=models.Q(ended_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"
