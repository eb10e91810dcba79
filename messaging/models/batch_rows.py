"""The uploaded file of a batch, and the rows that were read from it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.sealed_fields import SealedBytes, SealedJSON, SealedText

from .batch import Batch


class FilePart(models.Model):
    """A piece of an uploaded file, deleted once the batch has started.

    The database holds it, since the worker that reads it may run on another host than the web
    process that received it."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = SealedBytes()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("batch", "number"), name="one_part_per_number")
        ]

    def __str__(self) -> str:
        return f"part {self.number} of batch {self.batch_id}"


class StagedRow(models.Model):
    """A row of the file with its verdict, before it becomes a message."""

    class Verdict(models.TextChoices):
        GOOD = "good", pgettext_lazy("row", "Good")
        REPEATED = "repeated", pgettext_lazy("row", "Repeated")
        LISTED = "listed", _("On the do-not-send list")
        REFUSED = "refused", pgettext_lazy("row", "Refused")

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="staged")
    run = models.UUIDField()
    number = models.PositiveIntegerField()
    """Row number in the file, counted from 1 with the heading."""
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    problem = models.CharField(max_length=32, blank=True)
    values = SealedJSON(null=True)
    typed = SealedText(blank=True)
    """The number as the file has it; not kept for a good row."""
    recipient = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)
    text = SealedText(blank=True)
    """The text with its placeholders filled; empty if it is the text of the batch."""
    segments = models.PositiveSmallIntegerField(default=0)
    encoding = models.CharField(max_length=8, blank=True)
    again_from = models.ForeignKey(
        "messaging.Message", on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("batch", "number"), name="one_staged_row_per_number")
        ]
        indexes = [models.Index(fields=("batch", "verdict", "id"), name="staged_by_verdict")]

    def __str__(self) -> str:
        return f"row {self.number} of batch {self.batch_id}"
