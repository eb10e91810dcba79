"""Callbacks as received, with the result of processing them."""

from __future__ import annotations

from typing import TypeAlias

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..clock import RowTimeField
from ..states import CallbackState
from .account import Account, CallbackToken
from .ids import public_id


class Callback(models.Model):
    """One request to an account's callback address. A repetition only increases `times`.

    It is stored before it is parsed. The row itself is the queue, and it can be processed again at
    any time.
    """

    State: TypeAlias = CallbackState

    public_id = models.CharField(max_length=24, editable=False, default=public_id)
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="callbacks",
        verbose_name=pgettext_lazy("field", "account"),
    )
    token = models.ForeignKey(CallbackToken, on_delete=models.SET_NULL, null=True, related_name="+")
    digest = models.CharField(max_length=64)
    """SHA-256 of the canonical content. Equal content is the same callback."""
    method = models.CharField(max_length=8)
    query = models.TextField(blank=True)
    """The raw query string, undecoded."""
    body = models.BinaryField(blank=True)
    content_type = models.CharField(max_length=200, blank=True)
    sender = models.CharField(_("source address"), max_length=45, blank=True)
    """The network address of the sender."""
    received_at = RowTimeField(pgettext_lazy("field", "received"))
    last_at = RowTimeField()
    times = models.PositiveIntegerField(_("times received"), default=1)

    state = models.CharField(
        pgettext_lazy("field", "state"),
        max_length=16,
        choices=State.choices,
        default=State.RECEIVED,
    )
    kind = models.CharField(max_length=16, blank=True)
    """The kind of the first event: `delivery`, `verification` or empty."""
    says = models.CharField(max_length=32, blank=True)
    """The first event in our terms: a `DeliveryState`, `succeeded` or `failed`."""
    words = models.TextField(blank=True)
    """The provider's own words in the first event."""
    subject = models.CharField(max_length=64, blank=True)
    """What the first event is about, as in the journal, such as `message:42`."""
    matched_by = models.CharField(max_length=16, blank=True)
    problem = models.CharField(max_length=32, blank=True)
    events = models.PositiveSmallIntegerField(default=0)
    outcomes = models.JSONField(default=list, blank=True)
    """For each event: its state, words and subject, and the result of processing it."""
    tries = models.PositiveIntegerField(default=0)
    """Tries since it was received, received again, or queued again by staff."""
    failures = models.PositiveSmallIntegerField(default=0)
    """Consecutive tries that did not finish, because of a fault or a dead worker."""
    tried_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True, default=timezone.now)
    """None means that it is not tried again automatically."""

    class Meta:
        ordering = ("-received_at", "-pk")
        verbose_name = pgettext_lazy("model", "callback")
        verbose_name_plural = pgettext_lazy("model", "callbacks")
        default_permissions = ("view",)
        permissions = [
            ("process_callback", "Can process callbacks again"),
            ("reveal_callback", "Can see whole callbacks"),
        ]
        constraints = [
            # Not unique=True, which costs an index for LIKE on PostgreSQL.
            models.UniqueConstraint(fields=("public_id",), name="callback_public_id"),
            models.UniqueConstraint(fields=("account", "digest"), name="one_row_per_callback"),
        ]
        indexes = [
            models.Index(
                fields=("next_try_at",),
                name="callback_due",
                condition=models.Q(next_try_at__isnull=False),
            ),
            models.Index(fields=("-received_at", "-id"), name="callback_newest"),
            models.Index(fields=("state", "-received_at"), name="callback_by_state"),
            models.Index(fields=("account", "-last_at"), name="callback_by_account"),
            models.Index(fields=("account", "-received_at", "-id"), name="callback_of_account"),
            models.Index(fields=("says", "-received_at", "-id"), name="callback_by_says"),
            models.Index(
                fields=("problem", "-received_at", "-id"),
                name="callback_by_problem",
                condition=~models.Q(problem=""),
            ),
            models.Index(fields=("subject",), name="callback_subject"),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.public_id}"


class CallbackTest(models.Model):
    """The newest test of an account's callback address from outside."""

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="callback_test"
    )
    asked_at = RowTimeField()
    ended_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=32, blank=True)
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"callback test of account {self.account_id}"
