"""The remaining allowance of accounts and of staff."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.punctuation import label_text

from .account import Account


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
    """How much one member of staff, or each of a role, may send or rent in any 24 hours."""

    class What(models.TextChoices):
        MESSAGES = "messages", pgettext_lazy("daily limit", "Messages")
        CODES = "codes", pgettext_lazy("daily limit", "Codes")
        ORDERS = "orders", pgettext_lazy("daily limit", "Rented numbers")

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
    what = models.CharField(pgettext_lazy("field", "type"), max_length=16, choices=What.choices)
    most = models.PositiveIntegerField(pgettext_lazy("field", "limit"))

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
        return label_text(self.user or self.group, f"{self.get_what_display()} {self.most}")


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
