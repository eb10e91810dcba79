"""The provider's transactions as it states them, and where they disagree with our orders."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from providers.clock import RowTimeField
from providers.models import Account, public_id

from .order import Order


class Transaction(models.Model):
    """One transaction of the provider.

    `amount` is positive for every type; the type alone gives the direction, and nothing is computed
    here.
    """

    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="transactions",
        verbose_name=pgettext_lazy("field", "account"),
    )
    provider_id = models.CharField(pgettext_lazy("field", "id"), max_length=100)
    type = models.CharField(pgettext_lazy("field", "type"), max_length=100)
    amount = models.DecimalField(pgettext_lazy("field", "amount"), max_digits=18, decimal_places=4)
    balance_after = models.DecimalField(
        _("balance after"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    frozen_after = models.DecimalField(
        _("frozen after"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    description = models.TextField(pgettext_lazy("field", "description"), blank=True)
    order_provider_id = models.CharField(_("order id"), max_length=100, blank=True)
    created_there = models.DateTimeField(pgettext_lazy("field", "time"), null=True)
    raw_created_there = models.CharField(max_length=100, blank=True)
    read_at = RowTimeField()
    differing = models.JSONField(default=list)
    """Values that another statement of the same id differs in: [{"field", "value", "at"}]."""
    repeated = models.PositiveSmallIntegerField(null=True)
    """Further rows with this id that one page of the provider's list had."""
    differed_at = models.DateTimeField(null=True)
    """When another statement of this id last differed, or a whole check found that one had."""

    class Meta:
        ordering = ("-created_there", "-pk")
        verbose_name = pgettext_lazy("model", "transaction")
        verbose_name_plural = pgettext_lazy("model", "transactions")
        default_permissions = ("view",)
        permissions = [
            ("export_transaction", "Can export transactions"),
            ("read_transaction", "Can have transactions read from the provider"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("account", "provider_id"), name="one_transaction_per_id"
            )
        ]
        indexes = [
            models.Index(fields=("-created_there", "-id"), name="transaction_newest"),
            models.Index(fields=("account", "-created_there"), name="transaction_by_account"),
            models.Index(fields=("account", "order_provider_id"), name="transaction_by_order"),
            models.Index(fields=("type", "-created_there"), name="transaction_by_type"),
            models.Index(fields=("order_provider_id",), name="transaction_of_order"),
            models.Index(fields=("provider_id",), name="transaction_provider_id"),
            models.Index(fields=("account", "read_at"), name="transaction_read"),
            models.Index(
                fields=("account", "id"),
                name="transaction_differed",
                condition=models.Q(differed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.provider_id}"


class Finding(models.Model):
    """A disagreement between our orders and the provider's transactions."""

    class Kind(models.TextChoices):
        REFUND_MISSING = "refund_missing", _("Refund missing")
        HOLD_WITHOUT_ORDER = "hold_without_order", _("Hold without a matching order")
        ORDER_WITHOUT_HOLD = "order_without_hold", _("Order without a Hold")
        PRICE_DIFFERS = "price_differs", _("Price differs")
        UNKNOWN_TYPE = "unknown_type", _("Unknown type")
        DOUBLED_ID = "doubled_id", _("Several entries under one ID")

    public_id = models.CharField(max_length=24, unique=True, editable=False, default=public_id)
    account = models.ForeignKey(
        Account,
        on_delete=models.CASCADE,
        related_name="findings",
        verbose_name=pgettext_lazy("field", "account"),
    )
    kind = models.CharField(pgettext_lazy("field", "finding"), max_length=24, choices=Kind.choices)
    about = models.CharField(max_length=100)
    """The provider's id of the order or of the doubled transaction, or the unknown type."""
    order = models.ForeignKey(Order, on_delete=models.CASCADE, null=True, related_name="findings")
    ours = models.JSONField(default=dict)
    """{"state", "price", "at"}, as far as we know them."""
    theirs = models.JSONField(default=list)
    """The provider's rows: [{"type", "amount", "at"}]."""
    since = RowTimeField()
    seen_at = RowTimeField()
    gone_at = models.DateTimeField(null=True)
    """When a later check found that both sides agree."""
    explained_at = models.DateTimeField(null=True)
    explained_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    explained_because = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-since", "-pk")
        verbose_name = pgettext_lazy("model", "finding")
        verbose_name_plural = pgettext_lazy("model", "findings")
        default_permissions = ("view",)
        permissions = [
            ("explain_finding", "Can explain what does not agree"),
            ("check_finding", "Can run the ledger check"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("account", "kind", "about"), name="one_finding_per_disagreement"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.about}"
