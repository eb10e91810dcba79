"""Provider accounts and everything that is kept about the traffic with them."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedField

from .gateway.client import Client
from .gateway.registry import client_for
from .gateway.vocabulary import Outcome


def public_id() -> str:
    """An id for addresses of pages: opaque, so that it gives away no count."""
    return secrets.token_urlsafe(12)


class Account(models.Model):
    """A login with one provider, and what this portal may do with it."""

    public_id = models.CharField(max_length=24, unique=True, editable=False, default=public_id)
    name = models.CharField(_("name"), max_length=64, unique=True)
    provider = models.CharField(_("provider"), max_length=32, editable=False)
    base_url = models.CharField(_("address"), max_length=300)
    options = models.JSONField(default=dict, blank=True)
    allowed_countries = models.JSONField(_("allowed countries"), default=list, blank=True)
    per_second = models.PositiveIntegerField(
        _("calls a second"), default=5, validators=[MinValueValidator(1), MaxValueValidator(10_000)]
    )
    per_minute = models.PositiveIntegerField(
        _("calls a minute"),
        default=300,
        validators=[MinValueValidator(1), MaxValueValidator(600_000)],
    )
    in_flight = models.PositiveIntegerField(
        _("calls at once"), default=4, validators=[MinValueValidator(1), MaxValueValidator(64)]
    )
    pausing_phrases = models.TextField(_("phrases that pause"), blank=True)
    low_balance = models.DecimalField(
        _("low-balance warning"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    price_per_segment = models.DecimalField(
        _("price per segment"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    daily_limit = models.PositiveIntegerField(
        _("daily limit"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    """Messages, codes and numbers in any 24 hours, all together; None: no limit."""
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    pause_reason = models.CharField(max_length=32, blank=True, editable=False)
    pause_words = models.TextField(blank=True, editable=False)
    refusals = models.PositiveIntegerField(default=0, editable=False)
    """Refused in a row, without one success between."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        default_permissions = ("add", "change", "view")
        permissions = [
            ("check_account", "Can check the connection and read balances"),
            ("resume_account", "Can pause and resume an account"),
            ("view_callback_address", "Can see callback addresses"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def client(self) -> type[Client] | None:
        return client_for(self.provider)

    @property
    def provider_name(self) -> str:
        client = self.client
        return client.name if client else self.provider

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    @property
    def phrases(self) -> list[str]:
        """Phrases in a refusal that pause this account, as staff listed them."""
        return [line.strip() for line in self.pausing_phrases.splitlines() if line.strip()]


class Credential(models.Model):
    """One secret of an account, with its age."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="credentials")
    name = models.CharField(max_length=32)
    value = EncryptedField()
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("account", "name"), name="one_credential_per_name")
        ]

    def __str__(self) -> str:
        return f"{self.account_id}:{self.name}"

    @property
    def is_old(self) -> bool:
        limit = timedelta(days=settings.SECRET_MAX_AGE_DAYS)
        return timezone.now() - self.saved_at > limit


class CallbackToken(models.Model):
    """The unguessable part of the address that a provider reports to.

    Looked up by its hash. Kept encrypted as well, since the address is sent along with
    every message. A new one does not end the old one: reports come for days.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="callback_tokens")
    digest = models.CharField(max_length=64, unique=True)
    value = EncryptedField()
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"callback token {self.pk} of account {self.account_id}"


class Allowance(models.Model):
    """What an account may still ask of its provider; shared by all processes and hosts.

    Times are seconds since the epoch by the database's clock.
    """

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="allowance"
    )
    second_free_at = models.FloatField(default=0)
    minute_free_at = models.FloatField(default=0)
    slow_until = models.FloatField(default=0)
    slow_streak = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"allowance of account {self.account_id}"


class Lease(models.Model):
    """Which engine loop serves an account. Economy only: safety is each row's claim.

    `expires_at` is seconds since the epoch by the database's clock.
    """

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="lease"
    )
    holder = models.CharField(max_length=64, blank=True)
    expires_at = models.FloatField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"lease of account {self.account_id}"


class ApiCall(models.Model):
    """One HTTP exchange with a provider, redacted before it came here."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="api_calls")
    operation = models.CharField(_("operation"), max_length=32)
    subject = models.CharField(max_length=64, blank=True, db_index=True)
    started_at = models.DateTimeField(_("time"), db_index=True)
    duration = models.FloatField(_("took"))
    method = models.CharField(max_length=8)
    url = models.TextField(_("address"))
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    outcome = models.CharField(
        _("outcome"),
        max_length=16,
        choices=[
            (Outcome.DONE, _("Done")),
            (Outcome.NOT_DONE, _("Not done")),
            (Outcome.REFUSED, _("Refused")),
            (Outcome.UNKNOWN, _("Unknown")),
        ],
    )
    reason = models.CharField(_("reason"), max_length=32, blank=True)
    request_body = models.TextField(_("request"), blank=True)
    answer_body = models.TextField(_("answer"), blank=True)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)

    class Meta:
        ordering = ("-started_at", "-pk")
        verbose_name = _("API call")
        verbose_name_plural = _("API calls")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=("account", "-started_at"), name="apicall_by_account"),
            models.Index(fields=("outcome", "-started_at"), name="apicall_by_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.pk}"


class BalanceReading(models.Model):
    """What a provider stated about money at one moment, in its own unit."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="readings")
    read_at = models.DateTimeField(db_index=True, default=timezone.now)
    balance = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    frozen = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    available = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    credit_limit = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    billing_type = models.CharField(max_length=32, blank=True)
    is_active = models.BooleanField(null=True)

    class Meta:
        ordering = ("-read_at",)
        default_permissions = ("view",)
        verbose_name = _("balance reading")
        verbose_name_plural = _("balance readings")
        indexes = [models.Index(fields=("account", "-read_at"), name="reading_by_account")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.read_at:%F %T}"

    @property
    def spendable(self) -> Decimal | None:
        """What the provider calls available, or its balance where it names no other."""
        return self.available if self.available is not None else self.balance


class Enquiry(models.Model):
    """A harmless question that staff or a schedule want the engine to ask a provider."""

    class Kind(models.TextChoices):
        CHECK = "check", _("Check connection")
        BALANCE = "balance", _("Read balance")

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        CLAIMED = "claimed", _("Asking")
        ANSWERED = "answered", _("Answered")
        FAILED = "failed", _("Failed")

    public_id = models.CharField(max_length=24, unique=True, editable=False, default=public_id)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="enquiries")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(default=timezone.now)
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


class DailyLimit(models.Model):
    """How much one member of staff, or each of a role, may send or rent in any 24 hours."""

    class What(models.TextChoices):
        MESSAGES = "messages", _("Messages")
        CODES = "codes", _("Codes")
        ORDERS = "orders", _("Rented numbers")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="daily_limits",
        verbose_name=_("member of staff"),
    )
    group = models.ForeignKey(
        "auth.Group",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="daily_limits",
        verbose_name=_("role"),
    )
    what = models.CharField(_("what"), max_length=16, choices=What.choices)
    most = models.PositiveIntegerField(_("at most"))

    class Meta:
        verbose_name = _("daily limit")
        verbose_name_plural = _("daily limits")
        default_permissions = ("add", "change", "delete", "view")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user=None) ^ models.Q(group=None), name="daily_limit_of_one"
            ),
            models.UniqueConstraint(fields=("user", "what"), name="one_daily_limit_per_user"),
            models.UniqueConstraint(fields=("group", "what"), name="one_daily_limit_per_group"),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group}: {self.get_what_display()} {self.most}"


class DailyUse(models.Model):
    """What was taken from one daily limit, by quarters of an hour since the epoch."""

    what = models.CharField(max_length=16)
    scope = models.CharField(max_length=16)
    key = models.CharField(max_length=64)
    spent = models.JSONField(default=dict)
    version = models.PositiveBigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("what", "scope", "key"), name="one_use_per_limit")
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.scope} {self.key}"


class Heartbeat(models.Model):
    """When each part of the queue last showed that work gets through it."""

    name = models.CharField(max_length=48, primary_key=True)
    beat_at = models.DateTimeField()
    detail = models.CharField(max_length=100, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


def new_claim() -> uuid.UUID:
    return uuid.uuid4()


def heartbeat(name: str, detail: str = "", *, at: datetime | None = None) -> None:
    Heartbeat.objects.update_or_create(
        name=name, defaults={"beat_at": at or timezone.now(), "detail": detail}
    )
