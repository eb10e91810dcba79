"""How an account's orders are polled, and readings of the provider's lists."""

from __future__ import annotations

from typing import TypeAlias

from django.conf import settings
from django.db import models
from django.utils.translation import pgettext_lazy

from providers.clock import RowTimeField
from providers.models import Account

from ..states import ReadingState


class Watch(models.Model):
    """How the pending orders of one account are polled: one by one, or by its list."""

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="watch"
    )
    by_list = models.BooleanField(default=False)
    next_round_at = models.DateTimeField(null=True)
    round_at = models.DateTimeField(null=True)
    """When the list was last read."""
    claim = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    received_pages = models.PositiveIntegerField(default=1)
    """As of the last round."""
    spare = models.PositiveIntegerField(default=0)
    """Calls until the next round that may be spent on texts that no one waits for."""
    quiet_until = models.DateTimeField(null=True)
    """After a 401 or 403: when the next probe may be sent."""

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"watch of account {self.account_id}"


class Reading(models.Model):
    """One reading of a provider's list, page by page."""

    class Kind(models.TextChoices):
        ORDERS = "orders", pgettext_lazy("reading", "Orders")
        TRANSACTIONS = "transactions", pgettext_lazy("reading", "Transactions")

    State: TypeAlias = ReadingState

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="list_readings")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    whole = models.BooleanField(default=False)
    """Read every page, even if nothing seems new."""
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_at = RowTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    not_before = RowTimeField()
    page = models.PositiveIntegerField(default=1)
    pages = models.PositiveIntegerField(default=1)
    passes = models.PositiveSmallIntegerField(default=1)
    calls = models.PositiveIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True)
    """As the provider last stated it."""
    unreadable = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    seen_in_pass = models.PositiveBigIntegerField(default=0, db_default=0)
    """Rows on the pages read in the current pass, with those that were listed twice."""
    new_in_pass = models.PositiveIntegerField(default=0, db_default=0)
    pass_digest = models.CharField(max_length=64, blank=True, default="", db_default="")
    """Of the ids in the current pass, in the order in which they were listed."""
    earlier_digest = models.CharField(max_length=64, blank=True, default="", db_default="")
    """Of the pass before."""
    tries = models.PositiveSmallIntegerField(default=0)
    complete = models.BooleanField(default=False)
    """The portal knows as many rows as the provider states."""
    compared_at = models.DateTimeField(null=True)
    """When the ledger check last compared these transactions with our orders."""
    compared_whole_at = models.DateTimeField(null=True)
    """When a check last compared everything, instead of what had changed."""
    reason = models.CharField(max_length=32, blank=True)
    words = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=("account", "kind"),
                name="one_open_reading_per_list",
                condition=models.Q(state__in=("queued", "claimed")),
            )
        ]
        indexes = [models.Index(fields=("account", "kind", "-id"), name="reading_newest")]

    def __str__(self) -> str:
        return f"reading {self.pk} of {self.kind}"
