"""The roll-up and the marks that say what of it is out of date."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from messaging.models import Batch
from providers.models import Account


class Figure(models.Model):
    """How many rows of one quarter of an hour are alike in all that can be cut by.

    The slot is the one in which the row was created, since lists filter by that time. Accounts,
    people and batches are not guarded by the database: a figure outlives the rows it counted.
    """

    class Kind(models.TextChoices):
        TEXT = "text", pgettext_lazy("figures", "Texts")
        CODE = "code", _("SMS with codes")
        SESSION = "session", _("Code checks")
        RENT = "rent", _("Rented numbers")

    slot = models.IntegerField()
    """Quarters of an hour since 1970 in UTC."""
    kind = models.CharField(max_length=8, choices=Kind.choices)
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    country = models.CharField(max_length=100)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    batch = models.ForeignKey(
        Batch,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    state = models.CharField(max_length=24)
    """As stored on the row. `queued` stands for all states on the way to the provider."""
    reason = models.CharField(max_length=32)
    took = models.SmallIntegerField(null=True)
    """Index into `figures.durations.BOUNDS` of the time to delivery, to the right code or to the
    SMS on a rented number; NULL if there was none."""

    count = models.PositiveIntegerField()
    accepted = models.PositiveIntegerField()
    """Accepted by the provider: sent messages, sessions with a sent code, placed orders."""
    succeeded = models.PositiveIntegerField()
    """Delivered messages, verified sessions, orders with an SMS."""
    segments = models.PositiveIntegerField()
    """Segments of accepted messages."""
    cost = models.DecimalField(max_digits=18, decimal_places=4)
    """What the accepted rows cost by their own prices, in the account's unit."""
    unpriced = models.PositiveIntegerField()
    """Accepted rows without a price."""

    class Meta:
        default_permissions = ()
        permissions = [
            ("view_figures", "Can see figures about everybody's messages, codes and orders"),
            ("export_figures", "Can export figures"),
        ]
        indexes = [models.Index(fields=("slot", "kind"), name="figure_by_slot")]

    def __str__(self) -> str:
        return f"{self.count} {self.kind} {self.state} in slot {self.slot}"


class Mark(models.Model):
    """A slot whose rows changed since it was counted. Triggers of the database write it.

    On PostgreSQL each transaction has its own mark for a slot, so that none waits for another. On
    SQLite, where one process writes at a time, a further change raises the version.
    """

    source = models.CharField(max_length=8)
    """`figures.counted_tables.Source`."""
    slot = models.IntegerField()
    tx = models.BigIntegerField()
    """The transaction on PostgreSQL; 0 on SQLite."""
    version = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("source", "slot", "tx"), name="one_mark_per_change")
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.slot}"


class RollUp(models.Model):
    """The one row that says until when figures are complete."""

    complete_at = models.DateTimeField(null=True)
    """A moment at which every change before it had been counted."""
    standouts = models.JSONField(default=list)
    """What failed more than usual then: `figures.standouts.Standout.as_json`."""
    looked_at = models.DateTimeField(null=True)
    """When that was looked for."""

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"complete at {self.complete_at}"
