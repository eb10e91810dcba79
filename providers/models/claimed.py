"""Columns that the rows of several apps share."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from ..clock import RowTimeField


class ClaimedRow(models.Model):
    """A row whose call must not be repeated. `providers.engine.claims` claims it."""

    tries = models.PositiveSmallIntegerField(default=0)
    """How often the row was queued again because its call had certainly done nothing."""
    not_before = RowTimeField()
    claim = models.UUIDField(null=True)
    """The id of the loop that holds the row."""
    claimed_at = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(null=True)
    """When the row was marked in flight. Its call may have begun since."""

    class Meta:
        abstract = True


class Settled(models.Model):
    """A row whose unknown outcome staff may settle."""

    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
    )
    settled_because = models.CharField(max_length=200, blank=True)
    """The reason that the person gave."""

    class Meta:
        abstract = True
