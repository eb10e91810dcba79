"""Rows of the portal as a whole: what people did to it, asked it, and which keys it has."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class Act(models.Model):
    """One act of a person or of the administrator's command line. `core.acts` writes it.

    Acts are only added: nothing in the portal changes or deletes one.
    """

    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """None: the administrator's command line, or the portal itself."""
    what = models.CharField(max_length=64)
    """The kind of act as `thing.verb`, such as `hold.release`."""
    subject = models.CharField(max_length=64, blank=True)
    """What it was done to, as `kind:id`, as in the journal."""
    reason = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict)
    """Values of the act, such as counts. Never a secret, a code, a text or a full number."""

    class Meta:
        ordering = ("-at", "-pk")
        default_permissions = ()
        indexes = [
            models.Index(fields=("-at", "-id"), name="act_newest"),
            models.Index(fields=("subject", "-at"), name="act_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.subject}".strip()


class Notice(models.Model):
    """What a person is told about something they began. `core.notices` writes it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    event = models.CharField(max_length=100)
    """What happened, such as `batch:12:finished`. A person is told of it once."""
    text = models.TextField()
    """A stored text (`core.stored_texts`)."""
    url = models.CharField(max_length=200)
    """The path of the page that shows more."""
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at", "-pk")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("user", "event"), name="notice_once"),
        ]
        indexes = [
            models.Index(fields=("user", "-created_at", "-id"), name="notice_newest"),
            models.Index(
                fields=("user",), name="notice_unread", condition=models.Q(read_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.event


class KeyCheck(models.Model):
    """A check value of one key: a keyed hash of a constant, which says nothing about the key.

    A host whose keys do not fit these values must not start: it could read no stored secret, and
    its queue would delete the tasks of the others.
    """

    class Name(models.TextChoices):
        SECRET_KEY = "SECRET_KEY"  # noqa: S105 - the name of a setting
        SECRETS_KEYS = "SECRETS_KEYS"

    name = models.CharField(max_length=16, choices=Name.choices)
    digest = models.CharField(max_length=64)
    """Hexadecimal."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=("name", "digest"), name="one_check_per_key")]

    def __str__(self) -> str:
        return f"{self.name} {self.digest[:4]}"


class NumberSearch(models.Model):
    """That a person looked up a phone number, kept for an hour. `core.number_searches` counts.

    The rows hold keyed hashes, since a list of what people look up would be personal data itself.
    """

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    number = models.CharField(max_length=64)
    alike = models.CharField(max_length=64)
    """The hash of the number as it is shown masked."""
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("by", "number"), name="one_search_per_number")
        ]

    def __str__(self) -> str:
        return f"search of {self.by_id} at {self.at}"
