"""A code session: one attempt to prove that a person holds a number."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedField
from messaging.models import Message
from providers.clock import database_now
from providers.models import Account, ClaimedRow, public_id

from .states import AttemptState, SessionState

MAX_TRIES: Final = 5
PREFIX_WITHOUT: Final = 4
"""Digits at the end of a number that are not part of its prefix."""


class Session(models.Model):
    """It has its codes (the first and each that replaced it), its tries, and its end."""

    public_id = models.CharField(max_length=24, unique=True, editable=False, default=public_id)
    # NULL, not "", where no form stands behind it: NULLs do not collide.
    form_token = models.CharField(max_length=64, unique=True, null=True, editable=False)  # noqa: DJ001
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="code_sessions", verbose_name=_("account")
    )
    """The one that the newest code went out over."""
    fallback = models.ForeignKey(
        Account, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("then")
    )
    """Takes over by itself where the first account certainly sent nothing; used once."""
    recipient = models.CharField(_("number"), max_length=20)
    prefix = models.CharField(max_length=20)
    """The number without its last four digits: traffic that is pumped clusters there."""
    country = models.CharField(_("country/region"), max_length=2)
    minutes = models.PositiveSmallIntegerField(default=10)
    """How long each code is valid."""
    length = models.PositiveSmallIntegerField(default=6)
    """Digits of a code that the portal makes."""
    text = models.TextField(blank=True)
    """The text around the code where staff chose it, with dots for the code."""

    state = models.CharField(_("state"), max_length=16, default=SessionState.PENDING)
    reason = models.CharField(max_length=32, blank=True)
    """Why it failed or was cancelled; a `FailReason`, or the reason of its message."""
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    expires_at = models.DateTimeField()
    """By the database's clock, which alone decides."""

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("sent by"),
    )
    created_at = models.DateTimeField(_("time"), default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    """When a provider first took one of its messages."""
    delivered_at = models.DateTimeField(null=True)
    """When one of them was first reported delivered."""
    verified_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    provider_says_verified_at = models.DateTimeField(null=True)
    """A callback reported success. Evidence only: it never verifies."""

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("code session")
        verbose_name_plural = _("code sessions")
        default_permissions = ("view",)
        permissions = [
            ("send_code", "Can send a code"),
            ("check_code", "Can check a code that was read out"),
            ("cancel_code", "Can cancel a code session"),
            ("export_session", "Can export code sessions"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in SessionState]),
                name="session_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(tries__lte=MAX_TRIES), name="session_tries_bounded"
            ),
        ]
        indexes = [
            models.Index(fields=("-created_at", "-id"), name="session_newest"),
            models.Index(fields=("state", "-created_at"), name="session_by_state"),
            models.Index(fields=("recipient", "-created_at"), name="session_by_recipient"),
            models.Index(fields=("created_by", "-created_at"), name="session_by_sender"),
            models.Index(
                fields=("expires_at",),
                name="session_to_expire",
                condition=models.Q(state__in=("pending", "send_unknown", "sent", "check_unknown")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.public_id}"

    @property
    def tries_left(self) -> int:
        return MAX_TRIES - self.tries

    @property
    def seconds_left(self) -> float:
        """Until its code ends, by the database's clock."""
        return max(self.expires_at.timestamp() - database_now(), 0)

    def newest_code(self) -> SentCode:
        """The one that is alive; every earlier one is dead."""
        code = self.codes.select_related("message", "message__account").last()
        if code is None:
            raise RuntimeError("A session begins with a code.")
        return code


class SentCode(models.Model):
    """One code of a session and the message that carries it. Never the code itself."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="codes")
    serial = models.PositiveSmallIntegerField(default=1)
    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="sent_code")
    length = models.PositiveSmallIntegerField(default=0)
    """Characters; 0 where the provider makes the code."""
    digest = models.CharField(max_length=64, blank=True)
    """Keyed hash (otp.codes); empty where the provider makes the code."""
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("serial",)
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("session", "serial"), name="one_code_per_serial")
        ]

    def __str__(self) -> str:
        return f"code {self.serial} of session {self.session_id}"

    @property
    def checked_by_provider(self) -> bool:
        return self.message.kind == Message.Kind.PROVIDER_CODE


class Attempt(ClaimedRow):
    """One try at a code. Of a code of ours it is decided at once; of a provider's it is work
    for the engine, and what was read out is kept encrypted until the call was made."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="attempts")
    sent_code = models.ForeignKey(SentCode, on_delete=models.PROTECT, related_name="+")
    """The code that was alive; for an earlier code the one that was entered."""
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    form_token = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001
    """Of the form and of what was entered in it, as a keyed hash."""
    state = models.CharField(max_length=16)
    code = EncryptedField(blank=True)
    reason = models.CharField(max_length=32, blank=True)
    words = models.TextField(blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    too_late = models.BooleanField(default=False)
    """The answer was yes, but the session had ended before it."""

    class Meta:
        ordering = ("pk",)
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in AttemptState]),
                name="attempt_state_known",
            ),
            models.UniqueConstraint(
                fields=("session",),
                name="one_check_under_way",
                condition=models.Q(state__in=("queued", "claimed", "sending")),
            ),
        ]
        indexes = [
            models.Index(
                fields=("account", "not_before"),
                name="attempt_due",
                condition=models.Q(state="queued"),
            ),
            # Of all states, since SQLite would not see that a partial one will do.
            models.Index(fields=("state", "claimed_at"), name="attempt_by_state"),
        ]

    def __str__(self) -> str:
        return f"try {self.pk} of session {self.session_id}"


class SendGap(models.Model):
    """When the next code may go out to a number, whoever asks for it."""

    recipient = models.CharField(max_length=20, unique=True)
    free_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=("free_at",), name="send_gap_by_end")]

    def __str__(self) -> str:
        return f"gap until {self.free_at}"


def prefix_of(recipient: str) -> str:
    """Of an E.164 number."""
    return recipient[:-PREFIX_WITHOUT]


def moment(epoch: float) -> datetime:
    """Seconds of the database's clock as a time."""
    return datetime.fromtimestamp(epoch, tz=UTC)
