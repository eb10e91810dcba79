"""Rented numbers, requests to cancel them, and found orders."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.fields import EncryptedField
from providers.clock import RowTimeField
from providers.models import Account, Approval, ClaimedRow, Hold, Settled, public_id

from ..states import CANCEL_OPEN, CancelState, OrderState
from .stated import Stated


class Order(Stated, ClaimedRow, Settled):
    """The rental of one number. Its own times, ids and provider's words hold its history."""

    public_id = models.CharField(max_length=24, editable=False, default=public_id)
    # NULL, not "", without a form: NULLs do not violate the unique constraint.
    form_token = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001
    position = models.PositiveSmallIntegerField(default=0, editable=False)
    """Position among the orders of one form."""
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="orders",
        verbose_name=pgettext_lazy("field", "account"),
    )
    project = models.CharField(pgettext_lazy("field", "app"), max_length=100)
    region = models.CharField(pgettext_lazy("field", "country/region"), max_length=100)

    state = models.CharField(
        pgettext_lazy("field", "state"), max_length=24, default=OrderState.QUEUED
    )
    reason = models.CharField(max_length=32, blank=True)
    words = models.TextField(_("provider's own words"), blank=True)
    warnings = models.JSONField(default=list)
    http_status = models.PositiveSmallIntegerField(null=True)
    provider_id = models.CharField(_("order id"), max_length=100, blank=True)
    differing = models.JSONField(default=list)
    """Later answers that differ: {"field", "at"}, and "value" unless it is a code or a text."""
    differing_texts = EncryptedField(blank=True)
    """The codes and texts among them, as JSON: [{"field", "at", "value"}]."""
    conflict = models.BooleanField(pgettext_lazy("field", "conflict"), default=False)

    keep_trying_until = models.DateTimeField(null=True)
    """Until when to keep trying while no number is free, if staff asked for it."""
    cancel_after = models.PositiveSmallIntegerField(null=True)
    """Minutes without an SMS after which the portal cancels the order automatically."""
    cancel_at = models.DateTimeField(null=True)

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("rented by"),
    )
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("held by"),
    )
    created_at = RowTimeField(pgettext_lazy("field", "time"))
    answered_at = models.DateTimeField(null=True)
    placed_at = models.DateTimeField(null=True)
    """When we learnt that the number was ours; polling intervals count from here."""
    expires_at = models.DateTimeField(pgettext_lazy("field", "ends"), null=True)
    """By our clock: when its lifetime began, plus the lifetime that the provider stated."""
    sms_at = models.DateTimeField(null=True)
    """When its code or text was stored."""
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
    )
    changed_at = RowTimeField()
    """When anything that a page shows about the order last changed."""

    next_poll_at = models.DateTimeField(null=True)
    polled_at = models.DateTimeField(null=True)
    poll_claim = models.UUIDField(null=True)
    poll_claimed_at = models.DateTimeField(null=True)
    not_found = models.PositiveSmallIntegerField(default=0)
    """Consecutive answers that the provider has no such order."""
    hidden_at = models.DateTimeField(null=True)
    """When staff removed it from the board."""

    imported = models.BooleanField(default=False)
    """Imported from the provider's list; it was not placed here."""
    instead_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="replaced_by"
    )

    hold = models.ForeignKey(
        Hold, on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )
    """The hold that keeps it from being placed until a person has decided, or kept it until it was
    settled. An order that was released has none."""
    released_from = models.ForeignKey(
        Hold, on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )
    """The hold from which a person released it. It may have been placed before, so it never ends
    as withdrawn or not created while it waits."""
    approval = models.ForeignKey(
        Approval, on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )
    """The request for the consent of a second person. It is placed only once that is granted."""

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = pgettext_lazy("model", "order")
        verbose_name_plural = pgettext_lazy("model", "orders")
        default_permissions = ("view",)
        permissions = [
            ("rent_order", "Can rent numbers"),
            ("cancel_order", "Can cancel rented numbers"),
            ("reveal_order", "Can see numbers, codes and texts of everybody's orders"),
            ("resolve_order", "Can settle orders whose outcome is unknown"),
            ("import_order", "Can import orders that were not placed here"),
            ("export_order", "Can export orders"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in OrderState]),
                name="order_state_known",
            ),
            # Not unique=True, which costs an index for LIKE on PostgreSQL.
            models.UniqueConstraint(fields=("public_id",), name="order_public_id"),
            models.UniqueConstraint(fields=("form_token", "position"), name="one_order_per_form"),
            models.UniqueConstraint(
                fields=("account", "provider_id"),
                name="one_order_per_provider_id",
                condition=~models.Q(provider_id=""),
            ),
        ]
        indexes = [
            models.Index(fields=("-created_at", "-id"), name="order_newest"),
            models.Index(fields=("state", "-created_at"), name="order_by_state"),
            models.Index(fields=("account", "-created_at"), name="order_by_account"),
            models.Index(fields=("phone", "-created_at"), name="order_by_phone"),
            models.Index(fields=("held_by", "-created_at"), name="order_by_holder"),
            models.Index(fields=("created_by", "-created_at", "-id"), name="order_by_person"),
            models.Index(fields=("project", "region", "-created_at"), name="order_by_pair"),
            models.Index(fields=("project", "-created_at", "-id"), name="order_by_app"),
            models.Index(fields=("region", "-created_at", "-id"), name="order_by_region"),
            models.Index(
                fields=("account", "state", "-created_at", "-id"), name="order_by_account_state"
            ),
            models.Index(fields=("changed_at",), name="order_changed"),
            models.Index(fields=("state", "expires_at"), name="order_by_end"),
            models.Index(
                fields=("sms_at",), name="order_sms", condition=models.Q(sms_at__isnull=False)
            ),
            models.Index(
                fields=("provider_id", "account"),
                name="order_provider_id",
                condition=~models.Q(provider_id=""),
            ),
            models.Index(
                fields=("account", "not_before"),
                name="order_due",
                condition=models.Q(state="queued"),
            ),
            models.Index(
                fields=("account", "next_poll_at"),
                name="order_poll_due",
                condition=models.Q(next_poll_at__isnull=False),
            ),
            models.Index(
                fields=("poll_claimed_at",),
                name="order_poll_claimed",
                condition=models.Q(poll_claimed_at__isnull=False),
            ),
            models.Index(
                fields=("account", "state"),
                name="order_open",
                condition=models.Q(
                    state__in=(
                        "held",
                        "awaiting_approval",
                        "queued",
                        "claimed",
                        "placing",
                        "pending",
                        "unknown",
                    )
                ),
            ),
            models.Index(
                fields=("hold", "id"),
                name="order_on_hold",
                condition=models.Q(hold__isnull=False),
            ),
            models.Index(
                fields=("approval",),
                name="order_by_approval",
                condition=models.Q(approval__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.provider_id or self.public_id}"


class Cancel(ClaimedRow):
    """A request to cancel an order before its SMS arrives."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="cancels")
    state = models.CharField(max_length=16, default=CancelState.QUEUED)
    then_rent = models.BooleanField(default=False)
    """Rent a replacement once the cancel is confirmed."""
    asked_at = RowTimeField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    answered_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=32, blank=True)
    words = models.TextField(blank=True)
    refund = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    """As stated in the answer to the cancel; only the transactions show what was paid back."""

    class Meta:
        ordering = ("asked_at", "pk")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=("order",),
                name="one_open_cancel_per_order",
                condition=models.Q(state__in=sorted(CANCEL_OPEN)),
            )
        ]
        indexes = [
            models.Index(
                fields=("state", "not_before"),
                name="cancel_open",
                condition=models.Q(state__in=sorted(CANCEL_OPEN)),
            ),
            models.Index(
                fields=("claimed_at",),
                name="cancel_claimed",
                condition=models.Q(claim__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"cancel {self.pk} of order {self.order_id}"


class FoundOrder(Stated):
    """An order in the provider's list that was not placed here, as far as the portal knows."""

    public_id = models.CharField(max_length=24, unique=True, editable=False, default=public_id)
    account = models.ForeignKey(
        Account,
        on_delete=models.CASCADE,
        related_name="found_orders",
        verbose_name=pgettext_lazy("field", "account"),
    )
    provider_id = models.CharField(_("order id"), max_length=100)
    project = models.CharField(pgettext_lazy("field", "app"), max_length=100)
    region = models.CharField(pgettext_lazy("field", "country/region"), max_length=100)
    stated = models.CharField(max_length=16)
    """Its state in the gateway's vocabulary."""
    first_seen_at = RowTimeField(_("first found"))
    last_seen_at = RowTimeField()
    order = models.OneToOneField(
        Order, on_delete=models.PROTECT, null=True, related_name="found_as"
    )
    """The order that it was imported or adopted as."""

    class Meta:
        ordering = ("-first_seen_at", "-pk")
        verbose_name = _("order placed outside the portal")
        verbose_name_plural = _("orders placed outside the portal")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=("account", "provider_id"), name="one_found_order_per_id"
            )
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.provider_id}"
