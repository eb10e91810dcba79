"""A batch, the templates of texts, and the do-not-send list."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from providers.clock import RowTimeField
from providers.models import Account, Hold, public_id

from ..batches.states import ENDED, BatchState


class Template(models.Model):
    """A saved text, with placeholders for the columns of a file."""

    public_id = models.CharField(max_length=24, unique=True, editable=False, default=public_id)
    name = models.CharField(pgettext_lazy("field", "name"), max_length=64, unique=True)
    text = models.TextField(pgettext_lazy("field", "text"))
    in_use = models.BooleanField(pgettext_lazy("field", "available"), default=True)
    """Templates are not deleted; one that is not in use is not offered."""

    class Meta:
        ordering = ("name",)
        verbose_name = pgettext_lazy("model", "template")
        verbose_name_plural = pgettext_lazy("model", "templates")
        default_permissions = ("view", "add", "change")

    def __str__(self) -> str:
        return self.name


class TemplateUse(models.Model):
    """When a person last sent the text of a template. Their list begins with these."""

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="uses")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    used_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("user", "template"), name="template_use_once")
        ]

    def __str__(self) -> str:
        return f"use of template {self.template_id}"


class Batch(models.Model):
    """Texts to many numbers over one account.

    The file has `row_count` rows: `good` + `repeated` + `listed` + `refused`. `laid_out` of the
    good rows have become messages. The state says whether the rest is still to come or was
    stopped, so the figures always add up to `good`.
    """

    class Source(models.TextChoices):
        PASTED = "pasted", pgettext_lazy("choice", "Pasted")
        FILE = "file", pgettext_lazy("choice", "File")
        AGAIN = "again", _("Sent again")

    public_id = models.CharField(max_length=24, unique=True, editable=False, default=public_id)
    form_token = models.CharField(max_length=64, unique=True, editable=False)
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        related_name="batches",
        verbose_name=pgettext_lazy("field", "account"),
    )
    state = models.CharField(
        pgettext_lazy("field", "state"), max_length=24, default=BatchState.READING
    )
    reason = models.CharField(max_length=32, blank=True)
    """Why the file cannot be read, or why the portal paused the batch."""
    values = models.JSONField(default=dict, blank=True)
    """Values for the placeholders in the reason's text."""

    name = models.CharField(
        pgettext_lazy("field", "name"), max_length=80, blank=True, db_default="", default=""
    )
    """As typed, or the beginning of the text. Empty for batches of versions before it."""
    text = models.TextField(pgettext_lazy("field", "text"), blank=True)
    """May hold placeholders such as {Name}. In a resend each row has its own text."""
    sms_kind = models.CharField(max_length=1, blank=True)
    sender_id = models.CharField(_("sender ID"), max_length=32, blank=True)

    source = models.CharField(
        pgettext_lazy("field", "source"), max_length=8, choices=Source.choices
    )
    file_name = models.CharField(pgettext_lazy("field", "file"), max_length=200, blank=True)
    file_digest = models.CharField(max_length=64, blank=True)
    """SHA-256 of the file's bytes."""
    recipients_digest = models.CharField(max_length=64, blank=True)
    """Digest of the good numbers, independent of their order."""
    columns = models.JSONField(default=list, blank=True)
    number_column = models.PositiveSmallIntegerField(null=True)
    """Index into `columns`; None: not chosen yet, so the reader guesses it."""
    choices = models.JSONField(null=True)
    """What staff chose about the reading: `choices.Choices`."""
    findings = models.JSONField(null=True)
    """What was read, and what is unusual about it: `importing.findings`."""
    sample = models.JSONField(null=True)
    """The first rows with masked numbers, for the check page. Deleted when the batch starts."""
    check_run = models.UUIDField(null=True)
    """The run whose results the batch has. A batch that is read again gets another one."""
    accepted_run = models.UUIDField(null=True)
    """The run whose warnings were all confirmed. The batch starts only if it is `check_run`."""
    sent_again_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="sent_again"
    )

    row_count = models.PositiveIntegerField(default=0)
    good = models.PositiveIntegerField(pgettext_lazy("field", "recipients"), default=0)
    repeated = models.PositiveIntegerField(default=0)
    listed = models.PositiveIntegerField(default=0)
    """On the do-not-send list."""
    refused = models.PositiveIntegerField(default=0)
    segments = models.PositiveIntegerField(pgettext_lazy("field", "segments"), default=0)
    costly = models.PositiveIntegerField(default=0)
    """Good rows that take more segments than most good rows."""
    usual_segments = models.PositiveSmallIntegerField(default=0)

    reading_run = models.UUIDField(null=True)
    """The run of the task that reads the file. A run that finds another id here stops."""
    reading_tries = models.PositiveSmallIntegerField(default=0)
    reading_at = models.DateTimeField(null=True)
    """When that run last reported progress."""
    read_done = models.PositiveBigIntegerField(default=0)
    read_total = models.PositiveBigIntegerField(default=0)
    """Bytes, or rows where bytes say nothing about progress; 0: not known."""

    laid_out = models.PositiveIntegerField(default=0)
    laid_out_to = models.BigIntegerField(default=0)
    """Id of the last staged row that has become a message."""
    reserved = models.JSONField(default=list, blank=True)
    """Daily limits that counted the batch when it started: what, scope and key of each."""

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = RowTimeField(pgettext_lazy("field", "time"))
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """Who last had it read with another text, or in another way."""
    answerable = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("sent by"),
    )
    """Who started the batch, or continued it last. Their permission is the one that counts."""
    scheduled_for = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    failures_accepted_at = models.DateTimeField(null=True)
    """When staff continued it although messages may have failed (`batches.early_failures`)."""
    paused_at = models.DateTimeField(null=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    moved_at = models.DateTimeField(null=True)
    """When a message last left, or a person last started or continued the batch. A stall is
    measured from here."""
    sampled_at = models.DateTimeField(null=True)
    sampled_out = models.PositiveIntegerField(default=0)
    a_minute = models.FloatField(null=True)
    """Recent rate, in messages per minute."""

    hold = models.ForeignKey(
        Hold, on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )
    """The hold that keeps it from starting or going on until a person has decided. A batch that
    was dropped keeps it: its messages may have been sent."""
    released_from = models.ForeignKey(
        Hold, on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = pgettext_lazy("model", "batch")
        verbose_name_plural = pgettext_lazy("model", "batches")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in BatchState]),
                name="batch_state_known",
            )
        ]
        indexes = [
            models.Index(fields=("-created_at", "-id"), name="batch_newest"),
            models.Index(fields=("state", "account"), name="batch_by_state"),
            models.Index(fields=("file_digest",), name="batch_by_file"),
            models.Index(fields=("recipients_digest",), name="batch_by_recipients"),
            models.Index(
                fields=("hold", "id"),
                name="batch_on_hold",
                condition=models.Q(hold__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.file_name or f"{self.get_source_display()} {self.public_id}"

    @property
    def title(self) -> str:
        return self.name or self.file_name or str(self.get_source_display())

    @property
    def is_on_hold(self) -> bool:
        """Whether it waits for a decision about a hold."""
        return self.hold_id is not None and self.state not in ENDED

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """What is unusual about the file. Each has an `id`, a `key` and `values`."""
        found: list[dict[str, Any]] = (self.findings or {}).get("warnings", [])
        return found

    @property
    def is_accepted(self) -> bool:
        """Whether staff confirmed all warnings, or there are none."""
        return self.check_run is None or self.check_run == self.accepted_run

    @property
    def check_summary(self) -> dict[str, object]:
        """The result of the check as a person confirms it.

        A batch that was checked again in the meantime has a different result, so the
        confirmation of the old one does not match."""
        return {
            "check_run": self.check_run,
            "text": self.text,
            "recipients_digest": self.recipients_digest,
            "number_column": self.number_column,
            "good": self.good,
            "segments": self.segments,
        }


class DoNotSend(models.Model):
    """A number that receives nothing, with who listed it and why.

    An entry that is taken off the list stays as history, with who took it off."""

    public_id = models.CharField(max_length=24, unique=True, editable=False, default=public_id)
    number = models.CharField(_("phone number"), max_length=20)
    """E.164."""
    because = models.CharField(pgettext_lazy("field", "reason"), max_length=200)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("added by"),
    )
    added_at = RowTimeField(pgettext_lazy("field", "added"))
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("removed by"),
    )
    removed_at = models.DateTimeField(pgettext_lazy("field", "removed"), null=True)
    removed_because = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-added_at", "-pk")
        verbose_name = _("do-not-send list entry")
        verbose_name_plural = _("do-not-send list entries")
        default_permissions = ("view", "add", "change")
        constraints = [
            models.UniqueConstraint(
                fields=("number",),
                name="listed_once",
                condition=models.Q(removed_at=None),
            )
        ]
        indexes = [models.Index(fields=("-added_at", "-id"), name="do_not_send_newest")]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.public_id}"
