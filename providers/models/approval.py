"""Limits beyond which a second person must agree, and the requests for that."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..clock import RowTimeField
from ..states import ApprovalState
from .account import Account
from .ids import public_id


class ApprovalLimit(models.Model):
    """How much each person of a role may start in any 24 hours without a second person.

    An empty limit does not limit. `providers.approvals.rules` says when limits apply at all.
    """

    group = models.OneToOneField(
        "auth.Group",
        on_delete=models.CASCADE,
        related_name="approval_limit",
        verbose_name=pgettext_lazy("field", "role"),
    )
    messages = models.PositiveIntegerField(null=True, blank=True)
    """Messages of batches."""
    orders = models.PositiveIntegerField(null=True, blank=True)
    """Rented numbers."""
    cost = models.DecimalField(max_digits=18, decimal_places=4, null=True, blank=True)
    """What batches and orders cost together, as far as that is known."""

    class Meta:
        verbose_name = _("approval limit")
        verbose_name_plural = _("approval limits")
        default_permissions = ("change", "view")

    def __str__(self) -> str:
        return f"approval limit of role {self.group_id}"


class Approval(models.Model):
    """One person asks for something beyond their limit, and another decides.

    What is approved is `digest`, which covers all that was shown: if any of it changes, the
    approval no longer applies.
    """

    public_id = models.CharField(max_length=24, editable=False, default=public_id)
    kind = models.CharField(pgettext_lazy("field", "type"), max_length=16)
    """The name of an `approvals.kinds.ApprovalKind`."""
    subject = models.CharField(max_length=64)
    """What is asked for, as `kind:id`, as in the journal."""
    state = models.CharField(
        pgettext_lazy("field", "state"), max_length=16, default=ApprovalState.WAITING
    )
    title = models.CharField(max_length=400)
    """What it is in a few words: a stored text, or what staff named it."""
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=pgettext_lazy("field", "account"),
    )
    digest = models.CharField(max_length=64)
    """SHA-256 of what was shown (`approvals.digest`)."""
    count = models.PositiveIntegerField()
    """Messages, or numbers to rent."""
    cost = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    """About what it costs; NULL if no price is known."""
    starts_at = models.DateTimeField(null=True)
    """When it is to start; NULL: as soon as it is approved."""
    due_at = models.DateTimeField(null=True)
    """When the request lapses if nobody has decided."""
    passed = models.JSONField(default=list)
    """The limits that it passes: {"limit", "most", "used"}, amounts as text."""

    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="+",
        verbose_name=_("requested by"),
    )
    asked_at = RowTimeField(pgettext_lazy("field", "time"))
    why = models.CharField(max_length=200, blank=True)
    """The reason for asking, as typed."""
    involved = models.JSONField(default=list)
    """Ids of people who made or edited it, and so cannot approve it."""

    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(null=True)
    """When it was decided, withdrawn, or lapsed."""
    comment = models.CharField(max_length=200, blank=True)
    """The reason for the decision, as typed, or why it lapsed, as a stored text."""

    class Meta:
        ordering = ("-asked_at", "-pk")
        verbose_name = pgettext_lazy("model", "approval")
        verbose_name_plural = pgettext_lazy("model", "approvals")
        default_permissions = ("view",)
        permissions = [("approve", "Can approve batches and orders of others")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in ApprovalState]),
                name="approval_state_known",
            ),
            models.UniqueConstraint(fields=("public_id",), name="approval_public_id"),
            models.UniqueConstraint(
                fields=("subject",),
                name="one_waiting_approval",
                condition=models.Q(state="waiting"),
            ),
        ]
        indexes = [
            models.Index(fields=("-asked_at", "-id"), name="approval_newest"),
            models.Index(fields=("subject", "-id"), name="approval_by_subject"),
            models.Index(fields=("asked_by", "-asked_at", "-id"), name="approval_by_person"),
            models.Index(fields=("state", "-asked_at", "-id"), name="approval_by_state"),
        ]

    def __str__(self) -> str:
        return self.public_id
