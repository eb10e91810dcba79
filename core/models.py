"""Rows of the portal as a whole: what people did to it, asked it and exported, and its keys."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from .fields import EncryptedField
from .request_reference import MAX_LENGTH


class Act(models.Model):
    """One act of a person or of the administrator's command line. `core.acts` writes it.

    Acts are only added: nothing changes or deletes one, and the database refuses it. The only
    change is that the audit notes the seal of an act, once (`audit.seal_acts`).
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
    """Written by earlier versions only. The audit moves it to the personal row."""
    details = models.JSONField(default=dict)
    """Values of the act, such as counts. Never a secret, a code, a text or a full number."""
    personal_digest = models.CharField(max_length=64, blank=True, default="", db_default="")
    """A salted digest of the personal row; empty if there never was one."""
    seal = models.BigIntegerField(null=True)
    """The number of the seal that covers this act. None while it waits to be sealed."""
    request_id = models.CharField(max_length=MAX_LENGTH, null=True, editable=False)  # noqa: DJ001 - the version before leaves it out
    """The reference of the request. None outside of one. No seal covers it."""

    class Meta:
        ordering = ("-at", "-pk")
        default_permissions = ()
        indexes = [
            models.Index(fields=("-at", "-id"), name="act_newest"),
            models.Index(fields=("subject", "-at"), name="act_by_subject"),
            models.Index(fields=("what", "-at", "-id"), name="act_by_what"),
            models.Index(fields=("by", "-at", "-id"), name="act_by_person"),
            models.Index(fields=("seal", "id"), name="act_by_seal"),
            models.Index(
                fields=("id",), name="act_unsealed", condition=models.Q(seal__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.subject}".strip()

    @property
    def personal(self) -> Mapping[str, Any]:
        """What is personal in it; empty where it was erased."""
        row: ActPersonal | None = getattr(self, "personal_row", None)
        found = row.words if row is not None else {}
        return found if not self.reason else {"reason": self.reason, **found}

    @property
    def why(self) -> str:
        """The reason that was given; empty if there is none."""
        return str(self.personal.get("reason", ""))


class ActPersonal(models.Model):
    """What is personal in an act. It may be erased, and is never changed."""

    act = models.OneToOneField(
        Act, on_delete=models.CASCADE, primary_key=True, related_name="personal_row"
    )
    text = models.TextField()
    """A JSON object: `reason`, `address`, `name`, `filters`."""
    salt = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"personal part of act {self.act_id}"

    @property
    def words(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found


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
    """That a person looked up a phone number, kept for an hour. `core.phones.searches` counts.

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


def _public_id() -> str:
    return secrets.token_urlsafe(12)


class ExportJob(models.Model):
    """A list that a person wants as a file, and how far it is. See `core.admin.export_jobs`.

    Everything that the file depends on is fixed here when it is asked for: the filters, the moment
    from which relative dates count, the time zone, the language and the newest row.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        READY = "ready"
        CANCELLED = "cancelled"
        STOPPED = "stopped"
        ENDED = "ended"

    public_id = models.CharField(max_length=24, unique=True, default=_public_id)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=16, default=State.WAITING)
    reason = models.CharField(max_length=32, blank=True)
    """Why it was stopped: a value of `core.admin.export_jobs.lines.Reason`."""
    rows_of = models.CharField(max_length=100)
    """The model whose list it is, as `app.model`."""
    format = models.CharField(max_length=8)
    query = EncryptedField(blank=True)
    """The list's query string. It may hold a number that was searched for."""
    filters = models.JSONField(default=list)
    """The filters in words."""
    language = models.CharField(max_length=16)
    time_zone = models.CharField(max_length=64)
    is_whole = models.BooleanField()
    """Whether it shows whole what the list masks. Only while the person may reveal it."""
    asked_at = models.DateTimeField()
    newest = models.CharField(max_length=64)
    """The key of the newest row of the table at that moment."""
    reached = models.CharField(max_length=64, blank=True)
    """The key of the last row in the file. Rows follow by falling keys."""
    headings = models.JSONField(default=list)
    expected = models.PositiveIntegerField(null=True)
    """How many rows there will be, as counted at the beginning."""
    rows = models.PositiveIntegerField(default=0)
    parts = models.PositiveIntegerField(default=0)
    stored = models.BigIntegerField(default=0)
    """Bytes of its parts in the database."""
    claim = models.CharField(max_length=32, blank=True)
    """The slice that works on it."""
    busy_until = models.DateTimeField(null=True)
    """When that slice is given up."""
    tries = models.PositiveSmallIntegerField(default=0)
    """Slices in succession that wrote no part."""
    progressed_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    downloads = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-pk",)
        default_permissions = ()
        permissions = (("export_list", "Can export other lists"),)
        indexes = [
            models.Index(fields=("by", "-id"), name="exports_of_person"),
            models.Index(fields=("state", "expires_at"), name="exports_by_state"),
        ]

    def __str__(self) -> str:
        return f"export {self.public_id}"


class ExportPart(models.Model):
    """A piece of the file of a job. The database holds it, since any host may work on the job."""

    job = models.ForeignKey(
        ExportJob, on_delete=models.CASCADE, related_name="pieces", db_index=False
    )
    number = models.PositiveIntegerField()
    sheet = models.PositiveSmallIntegerField()
    rows = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    """Bytes before compression."""
    data = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("job", "number"), name="one_export_part_per_number")
        ]

    def __str__(self) -> str:
        return f"part {self.number} of export {self.job_id}"


class OwnList(models.Model):
    """How one person sees one list. `core.own_lists` reads and writes it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    rows_of = models.CharField(max_length=100)
    """The model whose list it is, as `app.model`."""
    filters = models.JSONField(default=list)
    """Saved filters: `key`, `name`, `query` and `order` of each."""
    default = models.CharField(max_length=16, blank=True)
    """The key of the saved filter with which the list opens."""
    columns = models.JSONField(default=list)
    """The names of the shown columns in their order. Empty: as delivered."""

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("user", "rows_of"), name="one_own_list"),
        ]

    def __str__(self) -> str:
        return f"{self.rows_of} of {self.user_id}"
