"""Hand-overs: a colleague takes over an order and its customer."""

from __future__ import annotations

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import models

from providers.clock import RowTimeField

from .order import Order


class HandOver(models.Model):
    """One hand-over of an order. The current holder is a field of the order."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="hand_overs")
    from_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """The previous holder. None: there was none, or an older version logged this hand-over."""
    to_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """None: the log line of an older version names no person who can be identified for certain."""
    to_name = models.CharField(max_length=310, blank=True, db_default="")
    """The name in that log line."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = RowTimeField()
    log_entry = models.OneToOneField(
        LogEntry, on_delete=models.SET_NULL, null=True, related_name="hand_over"
    )
    """The matching line of the admin log. A line without a row was written by an
    older version (rentals.hand_overs.read_older_lines)."""

    class Meta:
        ordering = ("at", "pk")
        default_permissions = ()

    def __str__(self) -> str:
        return f"hand-over {self.pk} of order {self.order_id}"
