"""What staff write about a phone number. What happened with it stays in the other apps."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import pgettext_lazy

from providers.clock import RowTimeField

LONGEST_NAME = 80
LONGEST_NOTE = 500


class NumberName(models.Model):
    """The name that staff gave a number. An empty name was taken away."""

    number = models.CharField(max_length=100, unique=True)
    """As the rows about it store it: E.164, or as a provider stated it."""
    name = models.CharField(pgettext_lazy("field", "name"), max_length=LONGEST_NAME, blank=True)
    named_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    named_at = RowTimeField()

    class Meta:
        default_permissions = ()
        permissions = [("note_number", "Can name numbers and write notes about them")]

    def __str__(self) -> str:
        return self.name


class NumberNote(models.Model):
    """One note about a number. A note that was removed stays, but is not shown."""

    number = models.CharField(max_length=100)
    text = models.CharField(pgettext_lazy("field", "note"), max_length=LONGEST_NOTE)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = RowTimeField()
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-at", "-pk")
        default_permissions = ()
        indexes = [models.Index(fields=("number", "-at"), name="note_by_number")]

    def __str__(self) -> str:
        return f"note {self.pk}"
