"""Messages: one row for every SMS, text or code, and the reports about it."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedField
from providers.clock import RowTimeField
from providers.models import Account, Callback, ClaimedRow, Hold, Settled, public_id

from ..states import MessageState
from .batch import Batch


def reference() -> str:
    """Make our id for the provider's reports: 128 random bits, since nothing else guards them."""
    return secrets.token_hex(16)


class Message(ClaimedRow, Settled):
    """One SMS to one number.

    The row keeps its own times, ids, provider's words and decisions, so its page stays complete
    after the journal has been pruned.
    """

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        OWN_CODE = "own_code", _("Code")
        PROVIDER_CODE = "provider_code", _("Code made by the provider")

    public_id = models.CharField(max_length=24, unique=True, editable=False, default=public_id)
    reference = models.CharField(max_length=32, unique=True, editable=False, default=reference)
    # NULL, not "", for a message without a form: NULLs do not collide.
    form_token = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="messages", verbose_name=_("account")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    recipient = models.CharField(_("recipient"), max_length=20)
    country = models.CharField(_("country/region"), max_length=2)
    text = models.TextField(_("text"), blank=True)
    """What the recipient reads; for a code only the text around it, if we know it."""
    code = EncryptedField(blank=True)
    """An own code until its send is final, then wiped."""
    channel = models.CharField(_("channel"), max_length=200, blank=True)
    template = models.CharField(_("template"), max_length=16, blank=True)
    sender_id = models.CharField(_("sender ID"), max_length=32, blank=True)
    sms_kind = models.CharField(max_length=1, blank=True)
    encoding = models.CharField(_("encoding"), max_length=8, blank=True)
    segments = models.PositiveSmallIntegerField(_("segments"), default=1)

    state = models.CharField(_("state"), max_length=16, default=MessageState.QUEUED)
    reason = models.CharField(max_length=32, blank=True)
    words = models.TextField(_("provider's own words"), blank=True)
    warnings = models.JSONField(default=list, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    provider_id = models.CharField(_("provider's id"), max_length=200, blank=True)
    belongs_to = models.CharField(max_length=32, blank=True)
    """`kind:id` of the row in another app that owns this message, as in the journal.

    That app's listener is called when the message moves (messaging.listeners)."""

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("sent by"),
    )
    created_at = RowTimeField(_("time"))
    queued_at = RowTimeField()
    """When it was queued. Its age is measured from here."""
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    """When it ended without an answer: cancelled, not sent, or given up as unknown."""
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    reported_at = models.DateTimeField(null=True)
    """When the report that stands arrived."""
    conflict = models.BooleanField(_("conflict"), default=False)
    """Whether its reports contradict each other or the result of the send."""

    sent_again_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="sent_again"
    )

    batch = models.ForeignKey(
        Batch,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="messages",
        verbose_name=_("batch"),
    )
    batch_row = models.PositiveIntegerField(null=True)
    """Row number in the file. Unique in a batch, so no row becomes two messages."""

    hold = models.ForeignKey(
        Hold, on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )
    """The hold that keeps it from being sent until a person has decided, or kept it until it was
    settled. A message that was released has none."""

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        default_permissions = ("view",)
        permissions = [
            ("send_message", "Can send a single SMS"),
            ("cancel_message", "Can cancel an SMS that waits"),
            ("reveal_message", "Can see whole numbers and texts of everybody"),
            ("resolve_message", "Can settle an unknown outcome"),
            ("bulk_message", "Can send batches"),
            ("export_message", "Can export messages"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in MessageState]),
                name="message_state_known",
            ),
            models.UniqueConstraint(
                fields=("batch", "batch_row"),
                name="one_message_per_row",
                condition=models.Q(batch__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=("-created_at", "-id"), name="message_newest"),
            models.Index(fields=("state", "-created_at"), name="message_by_state"),
            models.Index(fields=("recipient", "-created_at"), name="message_by_recipient"),
            models.Index(fields=("created_by", "-created_at"), name="message_by_sender"),
            models.Index(
                fields=("account", "not_before", "id"),
                name="message_due",
                condition=models.Q(state="queued", batch__isnull=True),
            ),
            models.Index(
                fields=("batch", "not_before", "id"),
                name="message_due_in_batch",
                condition=models.Q(state="queued", batch__isnull=False),
            ),
            models.Index(
                fields=("batch", "state"),
                name="message_by_batch",
                condition=models.Q(batch__isnull=False),
            ),
            models.Index(
                fields=("state", "claimed_at"),
                name="message_under_way",
                condition=models.Q(state__in=("claimed", "sending")),
            ),
            models.Index(
                fields=("-created_at",),
                name="message_conflict",
                condition=models.Q(conflict=True),
            ),
            models.Index(
                fields=("account", "provider_id"),
                name="message_by_provider_id",
                condition=~models.Q(provider_id=""),
            ),
            models.Index(
                fields=("hold", "id"),
                name="message_on_hold",
                condition=models.Q(hold__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.public_id}"

    @property
    def is_code(self) -> bool:
        return self.kind != self.Kind.TEXT


class Report(models.Model):
    """A provider's report about a message.

    It is kept whatever it says, and outlives the raw callback, which is pruned."""

    class Kind(models.TextChoices):
        DELIVERY = "delivery", _("Delivery report")
        VERIFICATION = "verification", _("Result of a check")
        UNRECOGNISED = "unrecognised", _("Unrecognised")

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="reports")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    state = models.CharField(max_length=16, blank=True)
    """A `DeliveryState`; for the result of a code check, `succeeded` or `failed`."""
    words = models.TextField(blank=True)
    at = models.DateTimeField()
    """When it first arrived."""
    callback = models.ForeignKey(Callback, on_delete=models.SET_NULL, null=True, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("at", "pk")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=("message", "callback", "position"), name="one_report_per_event"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state} of message {self.message_id}"
