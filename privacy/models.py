"""Erasures of numbers, what is remembered of them, legal holds, and how long data is kept."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils.translation import pgettext_lazy

from core.fields import EncryptedField
from providers.clock import RowTimeField

from .states import ErasureState


def _public_id() -> str:
    return secrets.token_urlsafe(12)


class Erasure(models.Model):
    """The job that erases one number, and what it found. `privacy.slices` works on it."""

    public_id = models.CharField(max_length=24, unique=True, default=_public_id)
    state = models.CharField(
        pgettext_lazy("field", "state"), max_length=16, default=ErasureState.WAITING
    )
    number = EncryptedField(blank=True)
    """E.164. Wiped at the end."""
    digest = models.CharField(max_length=64)
    """A keyed hash of the number (`core.phones.digests`)."""
    masked = models.CharField(max_length=40)
    reason = models.CharField(pgettext_lazy("field", "reason"), max_length=200)
    """A stored text (`core.stored_texts`), or words of staff without the number."""
    takes_off_list = models.BooleanField(default=False)
    """Whether an entry of the do-not-send list goes, too."""
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """None: the administrator's command line, or the portal after a restore."""
    asked_at = RowTimeField()
    round = models.PositiveSmallIntegerField(default=1)
    """How often everything was looked at and erased."""
    is_search = models.BooleanField(default=False)
    """Whether the job is searching again, to prove that nothing is left."""
    place = models.CharField(max_length=100, blank=True)
    """The table that it is at."""
    reached = models.CharField(max_length=64, blank=True)
    """The key of the last row there that it looked at."""
    found = models.JSONField(default=dict)
    """For each table: rows `erased`, rows `left` since they were under way, rows found `again` by
    the last search, and rows `kept` on purpose."""
    claim = models.CharField(max_length=32, blank=True)
    """The slice that works on it."""
    busy_until = models.DateTimeField(null=True)
    next_at = RowTimeField()
    """When the next slice may begin."""
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = pgettext_lazy("model", "erasure")
        verbose_name_plural = pgettext_lazy("model", "erasures")
        default_permissions = ()
        permissions = [
            ("erase_number", "Can erase a number"),
            ("hand_out_number", "Can hand out the data of a number"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("digest",),
                name="one_open_erasure_per_number",
                condition=~models.Q(state__in=("done", "stopped")),
            )
        ]
        indexes = [models.Index(fields=("state", "next_at"), name="erasure_by_state")]

    def __str__(self) -> str:
        return f"erasure {self.public_id}"


class ErasedNumber(models.Model):
    """That a number was erased: a keyed hash, by which a restored backup is recognised."""

    digest = models.CharField(max_length=64)
    erased_at = RowTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("digest",), name="one_row_per_erased_number")
        ]

    def __str__(self) -> str:
        return f"erased number {self.digest[:8]}"


class RestoredSearch(models.Model):
    """A walk over all texts, for numbers that a restored backup brought back.

    `privacy.restored_texts` works on it.
    """

    digests = models.JSONField()
    """The hashes of erased numbers that are looked for."""
    place = models.CharField(max_length=100, blank=True)
    """The table that it is at."""
    reached = models.CharField(max_length=64, blank=True)
    """The key of the last row there that it looked at."""
    begun_at = RowTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=("id",), name="restored_search_open", condition=models.Q(ended_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"search {self.pk}"


class LegalHold(models.Model):
    """Why nothing about a number may be erased or pruned, until the hold is lifted."""

    public_id = models.CharField(max_length=24, unique=True, default=_public_id)
    number = EncryptedField()
    """E.164."""
    digest = models.CharField(max_length=64)
    masked = models.CharField(max_length=40)
    reason = models.CharField(pgettext_lazy("field", "reason"), max_length=200)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    set_at = RowTimeField()
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True)
    lifted_because = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = pgettext_lazy("model", "legal hold")
        verbose_name_plural = pgettext_lazy("model", "legal holds")
        default_permissions = ()
        permissions = [("set_legal_hold", "Can set and lift legal holds")]
        constraints = [
            models.UniqueConstraint(
                fields=("digest",), name="one_legal_hold", condition=models.Q(lifted_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"legal hold {self.public_id}"


class RetentionRule(models.Model):
    """For how many days one kind of data is kept, as a manager confirmed it."""

    kind = models.CharField(max_length=32, unique=True)
    """A key of `core.retention`."""
    days = models.PositiveIntegerField(null=True)
    """None: for ever."""
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = RowTimeField()
    began_at = models.DateTimeField(null=True)
    """When it last began at the oldest row."""
    reached_at = models.DateTimeField(null=True)
    """The time of the last row that was looked at."""
    reached_id = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        permissions = [("set_retention", "Can set how long data is kept")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.days}"
