"""Columns that rows of several apps have in common."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class ClaimedRow(models.Model):
    """A row whose call must not be repeated, as `providers.engine.claims` takes it."""

    tries = models.PositiveSmallIntegerField(default=0)
    """How often it was certain that its call had done nothing, and it was queued again."""
    not_before = models.DateTimeField(default=timezone.now)
    claim = models.UUIDField(null=True)
    """The id of the loop that holds the row."""
    claimed_at = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(null=True)
    """When it was marked as in flight. Its call may have begun since."""

    class Meta:
        abstract = True


class Settled(models.Model):
    """A row whose unknown outcome a person may decide."""

    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    settled_because = models.CharField(max_length=200, blank=True)
    """Why the person decided as they did."""

    class Meta:
        abstract = True
