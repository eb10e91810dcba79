"""Code sessions, their codes and the attempts to enter them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.fields import EncryptedField
from messaging.models import Message
from providers.caps.defaults import range_of
from providers.clock import RowTimeField, database_now
from providers.models import Account, ClaimedRow, public_id

from .states import AttemptState, SessionState

MAX_TRIES: Final = 5


class Session(models.Model):
    """One attempt to verify that a person has a number.

    It has one or more codes, each replacing the one before, a number of tries, and an end.
    """

    public_id = models.CharField(max_length=24, editable=False, default=public_id)
    # NULL, not "", if there is no form: NULLs do not violate the unique constraint.
    form_token = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="code_sessions",
        verbose_name=pgettext_lazy("field", "account"),
    )
    """The account that the newest code was sent over."""
    fallback = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("backup account"),
    )
    """Sends automatically if the first account certainly sent nothing. Used once."""
    recipient = models.CharField(pgettext_lazy("field", "number"), max_length=20)
    prefix = models.CharField(max_length=20)
    """The number without its last four digits. Pumped traffic clusters by prefix."""
    country = models.CharField(pgettext_lazy("field", "country/region"), max_length=2)
    minutes = models.PositiveSmallIntegerField(default=10)
    """Validity of each code."""
    length = models.PositiveSmallIntegerField(default=6)
    """Number of digits in a code that the portal makes."""
    text = models.TextField(blank=True)
    """The text around the code if staff chose it, with dots for the code."""

    state = models.CharField(
        pgettext_lazy("field", "state"), max_length=16, default=SessionState.PENDING
    )
    reason = models.CharField(max_length=32, blank=True)
    """Why it ended: `tries_used`, `replaced`, or the reason or state of its message."""
    tries = models.PositiveSmallIntegerField(pgettext_lazy("field", "tries"), default=0)
    expires_at = models.DateTimeField()
    """Compared with the database's clock only."""

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("sent by"),
    )
    created_at = RowTimeField(pgettext_lazy("field", "time"))
    sent_at = models.DateTimeField(null=True)
    """When a provider first accepted one of its messages."""
    delivered_at = models.DateTimeField(null=True)
    """When one of its messages was first reported delivered."""
    verified_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
    )
    sms_state = models.CharField(max_length=16, null=True, default="", editable=False)  # noqa: DJ001
    """The state of the newest message (`otp.sms_states`); NULL if nobody has noted it yet."""
    sms_since = models.DateTimeField(null=True)
    """When the newest message was accepted, or handed over."""
    provider_says_verified_at = models.DateTimeField(null=True)
    """When a callback reported success. This is evidence only and never verifies."""

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
            # Not unique=True, which costs an index for LIKE on PostgreSQL.
            models.UniqueConstraint(fields=("public_id",), name="session_public_id"),
            models.UniqueConstraint(fields=("form_token",), name="session_form_token"),
        ]
        indexes = [
            models.Index(fields=("-created_at", "-id"), name="session_newest"),
            models.Index(fields=("state", "-created_at"), name="session_by_state"),
            models.Index(fields=("recipient", "-created_at"), name="session_by_recipient"),
            models.Index(fields=("created_by", "-created_at"), name="session_by_sender"),
            models.Index(fields=("account", "-created_at", "-id"), name="session_by_account"),
            models.Index(
                fields=("account", "state", "-created_at", "-id"), name="session_by_account_state"
            ),
            models.Index(fields=("country", "-created_at", "-id"), name="session_by_country"),
            # The last two let a count by label read nothing else.
            models.Index(
                fields=("sms_state", "-created_at", "-id", "account", "sms_since"),
                name="session_by_sms_state",
            ),
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
        """Seconds until the code expires, by the database's clock."""
        return max(self.expires_at.timestamp() - database_now(), 0)

    def newest_code(self) -> SentCode:
        """The current code; earlier ones are invalid."""
        code = self.codes.select_related("message", "message__account").last()
        if code is None:
            raise RuntimeError("A session begins with a code.")
        return code


class SentCode(models.Model):
    """A code of a session and the message that carries it. The code itself is never stored here."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="codes")
    serial = models.PositiveSmallIntegerField(default=1)
    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="sent_code")
    length = models.PositiveSmallIntegerField(default=0)
    """Number of characters; 0 if the provider makes the code."""
    is_digits = models.BooleanField(null=True, editable=False)
    """None if that is not known: the provider makes the code, or an earlier version sent it."""
    digest = models.CharField(max_length=64, blank=True)
    """Keyed hash (`otp.codes.digest`); empty if the provider makes the code."""
    made_at = RowTimeField()

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
    """One try at a code.

    For the portal's own code it is decided immediately. For a provider's code it is queued for
    the engine, and the entered code is kept encrypted until the call has been made.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="attempts")
    sent_code = models.ForeignKey(SentCode, on_delete=models.PROTECT, related_name="+")
    """The session's current code, or the earlier code that was entered."""
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    form_token = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001
    """Keyed hash of the form's token and the entered code."""
    state = models.CharField(max_length=16)
    code = EncryptedField(blank=True)
    reason = models.CharField(max_length=32, blank=True)
    words = models.TextField(blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = RowTimeField()
    ended_at = models.DateTimeField(null=True)
    too_late = models.BooleanField(default=False)
    """The code was correct, but the session had already ended."""

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
            # Covers all states, because SQLite would not recognise that a partial index suffices.
            models.Index(fields=("state", "claimed_at"), name="attempt_by_state"),
        ]

    def __str__(self) -> str:
        return f"try {self.pk} of session {self.session_id}"


class SendGap(models.Model):
    """When the next code may be sent to a number, by any user."""

    recipient = models.CharField(max_length=20, unique=True)
    free_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=("free_at",), name="send_gap_by_end")]

    def __str__(self) -> str:
        return f"gap until {self.free_at}"


def prefix_of(recipient: str) -> str:
    """The prefix of an E.164 number."""
    return range_of(recipient)


def moment(epoch: float) -> datetime:
    """Convert seconds of the database's clock to a datetime."""
    return datetime.fromtimestamp(epoch, tz=UTC)
