"""The remaining allowance of accounts and of staff."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.phones.parse import mask
from core.punctuation import label_text

from ..clock import RowTimeField
from .account import Account
from .ids import public_id


class Allowance(models.Model):
    """The state of an account's rate limits, shared by all processes and hosts.

    Times are in seconds since the epoch by the database's clock.
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


class DailyLimit(models.Model):
    """A cap that staff set: how much may go out in a minute, an hour or 24 hours.

    It is of one person (`user`), of each holder of a role (`group`), or of what `scope` and `key`
    name: `*` as the key is everything of that scope that has no row of its own.
    """

    class What(models.TextChoices):
        MESSAGES = "messages", pgettext_lazy("daily limit", "Messages")
        CODES = "codes", pgettext_lazy("daily limit", "Codes")
        ORDERS = "orders", pgettext_lazy("daily limit", "Rented numbers")

    class Scope(models.TextChoices):
        USER = "user", pgettext_lazy("cap", "Person")
        ACCOUNT = "account", pgettext_lazy("cap", "Account")
        NUMBER = "number", pgettext_lazy("cap", "Phone number")
        PREFIX = "prefix", pgettext_lazy("cap", "Prefix")
        COUNTRY = "country", pgettext_lazy("cap", "Country or region")

    class Window(models.TextChoices):
        MINUTE = "minute", pgettext_lazy("cap", "One minute")
        HOUR = "hour", pgettext_lazy("cap", "One hour")
        DAY = "day", pgettext_lazy("cap", "24 hours")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="daily_limits",
        verbose_name=_("staff member"),
    )
    group = models.ForeignKey(
        "auth.Group",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="daily_limits",
        verbose_name=pgettext_lazy("field", "role"),
    )
    scope = models.CharField(
        pgettext_lazy("field", "applies to"),
        max_length=16,
        choices=Scope.choices,
        blank=True,
        default="",
        db_default="",
    )
    """Empty for the row of a person or a role."""
    key = models.CharField(max_length=64, blank=True, default="", db_default="")
    what = models.CharField(
        pgettext_lazy("field", "type"),
        max_length=16,
        choices=[*What.choices, ("all", pgettext_lazy("cap", "All kinds together"))],
    )
    window = models.CharField(
        pgettext_lazy("field", "window"),
        max_length=8,
        choices=Window.choices,
        default=Window.DAY,
        db_default=Window.DAY,
    )
    most = models.PositiveIntegerField(pgettext_lazy("field", "limit"))
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("set by"),
    )
    """Unknown for a row of an earlier version."""
    set_at = models.DateTimeField(_("set at"), null=True, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("model", "cap")
        verbose_name_plural = pgettext_lazy("model", "caps")
        default_permissions = ("add", "change", "delete", "view")
        constraints = [
            models.CheckConstraint(
                condition=(models.Q(user=None) ^ models.Q(group=None)) & models.Q(scope="")
                | models.Q(user=None, group=None) & ~models.Q(scope=""),
                name="daily_limit_of_one",
            ),
            models.UniqueConstraint(
                fields=("user", "what", "window"), name="one_daily_limit_per_user"
            ),
            models.UniqueConstraint(
                fields=("group", "what", "window"), name="one_daily_limit_per_group"
            ),
            models.UniqueConstraint(
                fields=("scope", "key", "what", "window"),
                name="one_cap_per_key",
                condition=~models.Q(scope=""),
            ),
        ]
        # For lookups: SQLite uses a partial index only for a query with its condition.
        indexes = [models.Index(fields=("scope", "key"), name="cap_by_key")]

    def __str__(self) -> str:
        of = self.user or self.group or f"{self.get_scope_display()} {_shown_key(self)}"
        return label_text(of, f"{self.get_what_display()} {self.most}")


class CapExemption(models.Model):
    """What is exempt from caps until a date: a number, a prefix, a person or an account."""

    class Scope(models.TextChoices):
        NUMBER = "number", pgettext_lazy("cap", "Phone number")
        PREFIX = "prefix", pgettext_lazy("cap", "Prefix")
        USER = "user", pgettext_lazy("cap", "Person")
        ACCOUNT = "account", pgettext_lazy("cap", "Account")

    public_id = models.CharField(max_length=24, editable=False, default=public_id)
    scope = models.CharField(
        pgettext_lazy("field", "applies to"), max_length=16, choices=Scope.choices
    )
    key = models.CharField(max_length=64)
    because = models.CharField(pgettext_lazy("field", "reason"), max_length=200)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="+",
        verbose_name=_("added by"),
    )
    created_at = RowTimeField(_("added at"))
    ends_at = models.DateTimeField(_("ends at"))
    ended_at = models.DateTimeField(null=True)
    """When a person ended it before its time."""
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
    )

    class Meta:
        verbose_name = pgettext_lazy("model", "exemption")
        verbose_name_plural = pgettext_lazy("model", "exemptions")
        default_permissions = ("view", "add", "change")
        ordering = ("-created_at", "-pk")
        constraints = [
            models.UniqueConstraint(fields=("public_id",), name="cap_exemption_public_id")
        ]
        indexes = [
            models.Index(fields=("scope", "key"), name="cap_exemption_by_key"),
            models.Index(fields=("-created_at", "-id"), name="cap_exemption_newest"),
            models.Index(fields=("ends_at",), name="cap_exemption_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {_shown_key(self)}"


def _shown_key(row: DailyLimit | CapExemption) -> str:
    """The key without what identifies a recipient."""
    return mask(row.key) if row.scope == "number" and row.key != "*" else row.key


class DailyUse(models.Model):
    """The usage of one daily limit, by quarter of an hour since the epoch."""

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
