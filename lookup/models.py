"""What staff write: names of phone numbers, and notes about numbers and other things."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from providers.clock import RowTimeField

LONGEST_NAME = 80
LONGEST_NOTE = 500
NUMBER: Final = "number"
"""The kind of a note about a number itself."""
OPEN: Final = Q(assigned_to__isnull=False, done_at__isnull=True, removed_at__isnull=True)
"""Notes that wait for the person they were assigned to."""


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


class Note(models.Model):
    """One note, about a number, message, code session, order or batch.

    A note that was removed stays, but is not shown. An assigned note is a task: it waits until
    somebody marks it as done.
    """

    kind = models.CharField(max_length=16, db_default=NUMBER, default=NUMBER)
    """A key of `lookup.note_kinds`, or `NUMBER`."""
    object_id = models.BigIntegerField(null=True)
    """The primary key of what the note is about. None: the number itself."""
    number = models.CharField(max_length=100, blank=True)
    """The number that it concerns, also through its object. Empty for a batch."""
    text = models.CharField(pgettext_lazy("field", "note"), max_length=LONGEST_NOTE)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = RowTimeField()
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    done_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    removed_at = models.DateTimeField(null=True)

    class Meta:
        # As before there were notes about other things.
        db_table = "lookup_numbernote"
        ordering = ("-at", "-pk")
        default_permissions = ()
        indexes = [
            models.Index(fields=("number", "-at"), name="note_by_number"),
            models.Index(fields=("kind", "object_id", "-at"), name="note_by_object"),
            models.Index(fields=("assigned_to", "-at"), name="open_note_for", condition=OPEN),
            models.Index(fields=("by", "-at"), name="open_note_by", condition=OPEN),
        ]

    def __str__(self) -> str:
        return f"note {self.pk}"

    @property
    def is_open(self) -> bool:
        return bool(self.assigned_to_id) and not self.done_at and not self.removed_at
