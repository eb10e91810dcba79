"""The traffic with providers: API calls, balance readings and enquiries."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.request_reference import MAX_LENGTH

from ..clock import RowTimeField
from ..gateway.vocabulary import Outcome
from ..states import EnquiryState
from .account import Account
from .ids import public_id


class ApiCall(models.Model):
    """One HTTP exchange with a provider, redacted before it is stored."""

    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_index=False, related_name="api_calls"
    )
    operation = models.CharField(pgettext_lazy("field", "operation"), max_length=32)
    subject = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(pgettext_lazy("field", "time"))
    duration = models.FloatField(pgettext_lazy("field", "took"))
    method = models.CharField(max_length=8)
    url = models.TextField(pgettext_lazy("field", "address"))
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    outcome = models.CharField(
        pgettext_lazy("field", "outcome"),
        max_length=16,
        choices=[
            (Outcome.DONE, pgettext_lazy("call", "Done")),
            (Outcome.NOT_DONE, _("Not done")),
            (Outcome.REFUSED, pgettext_lazy("call", "Refused")),
            (Outcome.UNKNOWN, pgettext_lazy("call", "Unknown")),
        ],
    )
    reason = models.CharField(pgettext_lazy("field", "reason"), max_length=32, blank=True)
    request_body = models.TextField(pgettext_lazy("field", "request"), blank=True)
    answer_body = models.TextField(pgettext_lazy("field", "answer"), blank=True)
    attempt = models.PositiveSmallIntegerField(pgettext_lazy("field", "attempt"), default=1)
    request_id = models.CharField(  # noqa: DJ001 - the version before leaves it out
        pgettext_lazy("field", "reference"), max_length=MAX_LENGTH, null=True, editable=False
    )
    """The reference of the last request that was about the same thing before the call."""

    class Meta:
        ordering = ("-started_at", "-pk")
        verbose_name = _("API call")
        verbose_name_plural = _("API calls")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=("-started_at", "-id"), name="apicall_newest"),
            models.Index(fields=("subject",), name="apicall_subject"),
            models.Index(fields=("operation", "-started_at", "-id"), name="apicall_by_operation"),
            models.Index(fields=("http_status", "-started_at", "-id"), name="apicall_by_status"),
            # PostgreSQL reads NULLs in the order of an index only if it has nothing else.
            models.Index(
                fields=("-started_at", "-id"),
                name="apicall_no_answer",
                condition=models.Q(http_status__isnull=True),
            ),
            models.Index(
                fields=("account",),
                name="apicall_done",
                condition=models.Q(outcome="done"),
            ),
            models.Index(fields=("account", "-started_at"), name="apicall_by_account"),
            models.Index(fields=("outcome", "-started_at"), name="apicall_by_outcome"),
            models.Index(
                fields=("request_id",),
                name="apicall_by_request",
                condition=models.Q(request_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.pk}"


class BalanceReading(models.Model):
    """A balance as the provider stated it at one moment, in its own unit."""

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, db_index=False, related_name="readings"
    )
    read_at = RowTimeField()
    balance = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    frozen = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    available = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    credit_limit = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    billing_type = models.CharField(max_length=32, blank=True)
    is_active = models.BooleanField(null=True)

    class Meta:
        ordering = ("-read_at",)
        default_permissions = ("view",)
        verbose_name = _("balance record")
        verbose_name_plural = _("balance records")
        indexes = [models.Index(fields=("account", "-read_at"), name="reading_by_account")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.read_at:%F %T}"

    @property
    def spendable(self) -> Decimal | None:
        """The amount that the provider calls available, or else its balance."""
        return self.available if self.available is not None else self.balance


class Enquiry(models.Model):
    """A request for a harmless call to a provider, made by staff or a schedule."""

    class Kind(models.TextChoices):
        CHECK = "check", _("Check connection")
        BALANCE = "balance", _("Read balance")

    State: TypeAlias = EnquiryState

    public_id = models.CharField(max_length=24, unique=True, editable=False, default=public_id)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="enquiries")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_at = RowTimeField()
    claim = models.UUIDField(null=True, default=None)
    claimed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=32, blank=True)
    words = models.TextField(blank=True)
    reading = models.ForeignKey(BalanceReading, on_delete=models.SET_NULL, null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=("account", "id"),
                name="enquiry_open",
                condition=models.Q(state__in=("queued", "claimed")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
