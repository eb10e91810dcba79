"""Who handed an order to whom, so that somebody else goes on with its customer."""

from __future__ import annotations

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import models
from django.utils import timezone

from .order import Order


class HandOver(models.Model):
    """One hand-over of an order. Who holds the order now stands in the order itself."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="hand_overs")
    from_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """Who held it before. None: nobody did, or an older version wrote this down."""
    to_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """None: the log line of an older version names nobody who can be told for certain."""
    to_name = models.CharField(max_length=310, blank=True, db_default="")
    """As that log line has it."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    log_entry = models.OneToOneField(
        LogEntry, on_delete=models.SET_NULL, null=True, related_name="hand_over"
    )
    """The line of the admin's log that tells the same. A line without a row was written by an
    older version (rentals.hand_overs.import_older_log_lines)."""

    class Meta:
        ordering = ("at", "pk")
        default_permissions = ()

    def __str__(self) -> str:
        return f"hand-over {self.pk} of order {self.order_id}"
