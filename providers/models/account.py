"""Accounts, their secrets and their callback addresses."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.fields import EncryptedField

from .. import clock
from ..clock import RowTimeField
from ..gateway.client import Client, ReceivesCallbacks
from ..gateway.registry import client_for
from .ids import public_id


class Account(models.Model):
    """A login with one provider, with its limits and settings."""

    public_id = models.CharField(max_length=24, unique=True, editable=False, default=public_id)
    name = models.CharField(pgettext_lazy("field", "name"), max_length=64, unique=True)
    provider = models.CharField(pgettext_lazy("field", "provider"), max_length=32, editable=False)
    base_url = models.CharField(pgettext_lazy("field", "address"), max_length=300)
    options = models.JSONField(default=dict, blank=True)
    allowed_countries = models.JSONField(_("allowed countries"), default=list, blank=True)
    per_second = models.PositiveIntegerField(
        _("calls per second"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
    )
    per_minute = models.PositiveIntegerField(
        _("calls per minute"),
        default=300,
        validators=[MinValueValidator(1), MaxValueValidator(600_000)],
    )
    in_flight = models.PositiveIntegerField(
        _("concurrent calls"), default=4, validators=[MinValueValidator(1), MaxValueValidator(64)]
    )
    pausing_phrases = models.TextField(_("phrases that pause the account"), blank=True)
    low_balance = models.DecimalField(
        _("low-balance warning"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    price_per_segment = models.DecimalField(
        _("price per segment"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    highest_price = models.DecimalField(
        _("price warning"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    """What a rented number should cost at most. The form warns above it."""
    daily_limit = models.PositiveIntegerField(
        _("daily limit"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    """Messages, codes and numbers together in any 24 hours. None means no limit."""
    callback_networks = models.TextField(_("networks allowed to send callbacks"), blank=True)
    """One network per line. Empty means any network."""
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
    """The number of refusals since the last success."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)
        verbose_name = pgettext_lazy("model", "account")
        verbose_name_plural = pgettext_lazy("model", "accounts")
        default_permissions = ("add", "change", "view")
        permissions = [
            ("check_account", "Can check the connection and read balances"),
            ("resume_account", "Can pause and resume an account"),
            ("view_callback_address", "Can see callback addresses"),
            ("rotate_callback_address", "Can make and revoke callback addresses"),
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
    def takes_callbacks(self) -> bool:
        """Whether the provider sends callbacks."""
        client = self.client
        return client is not None and issubclass(client, ReceivesCallbacks)

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    @property
    def networks(self) -> list[str]:
        """The networks that callbacks are accepted from, as staff listed them."""
        return self.callback_networks.split()

    @property
    def phrases(self) -> list[str]:
        """The phrases in a refusal that pause this account, as staff listed them."""
        return [line.strip() for line in self.pausing_phrases.splitlines() if line.strip()]


class AccountPause(models.Model):
    """One pause of an account. The account itself only knows the present one."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="pauses")
    reason = models.CharField(max_length=32)
    started_at = RowTimeField()
    ended_at = models.DateTimeField(null=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    resumed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    """None: a check by the portal ended the pause, or it continues."""

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=("account", "-started_at"), name="pause_by_account")]

    def __str__(self) -> str:
        return f"pause {self.pk} of account {self.account_id}"


class Credential(models.Model):
    """One secret of an account, with its age."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="credentials")
    name = models.CharField(max_length=32)
    value = EncryptedField()
    saved_at = RowTimeField()

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
        return clock.now() - self.saved_at > limit


class CallbackToken(models.Model):
    """The unguessable part of an account's callback address.

    A request finds it by its hash. It is also stored encrypted, because every message is sent with
    the address. A new token does not revoke the old one, because reports arrive for days.
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
