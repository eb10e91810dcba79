"""Rules, receivers, current alarms, and the log of sent alerts."""

from __future__ import annotations

import secrets
from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import models
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from core.fields import EncryptedField
from providers.clock import RowTimeField

from .states import DeliveryState


def _public_id() -> str:
    return secrets.token_urlsafe(12)


class Receiver(models.Model):
    """Where alerts go: a mailbox, a group chat, a webhook."""

    public_id = models.CharField(max_length=24, unique=True, default=_public_id)
    name = models.CharField(pgettext_lazy("field", "name"), max_length=60, unique=True)
    service = models.CharField(max_length=24)
    """A key of `alerts.targets`."""
    url = EncryptedField()
    """The address with its secrets. Pages show `shown` instead."""
    shown = models.CharField(max_length=120)
    language = models.CharField(max_length=16)
    time_zone = models.CharField(max_length=64, blank=True)
    """In which quiet hours count and times are written; empty: the zone of the portal."""
    is_on = models.BooleanField(default=True)
    created_at = RowTimeField()

    class Meta:
        ordering = ("name",)
        verbose_name = pgettext_lazy("model", "receiver of alerts")
        verbose_name_plural = pgettext_lazy("model", "receivers of alerts")
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> tzinfo:
        """A name that this system does not know any more counts as none."""
        try:
            return ZoneInfo(self.time_zone) if self.time_zone else timezone.get_default_timezone()
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return timezone.get_default_timezone()


class Rule(models.Model):
    """What is watched, and who is told about it, when and how often."""

    public_id = models.CharField(max_length=24, unique=True, default=_public_id)
    kind = models.CharField(max_length=24)
    """A key of `alerts.kinds`."""
    account = models.ForeignKey(
        "providers.Account", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    """None: any account."""
    limit = models.PositiveIntegerField(null=True, blank=True)
    """In the unit of the kind."""
    least = models.PositiveIntegerField(null=True, blank=True)
    """How many there must be at least, if the kind asks for it."""
    receivers = models.ManyToManyField(Receiver, related_name="rules")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    """Nothing is told between both, by the clock of the receiver. May pass midnight."""
    every_minutes = models.PositiveIntegerField(default=10)
    """At most one message in this time. Findings in between share the next one."""
    repeat_minutes = models.PositiveIntegerField(default=0)
    """How often what lasts is told again. 0: never."""
    tells_end = models.BooleanField(default=True)
    is_on = models.BooleanField(default=True)
    muted_until = models.DateTimeField(null=True)
    page = models.CharField(max_length=300, blank=True)
    """The path of the page that shows the matter."""
    version = models.PositiveBigIntegerField(default=0)
    """Counts evaluations, so that of two at once one does nothing."""
    created_at = RowTimeField()

    class Meta:
        ordering = ("pk",)
        verbose_name = pgettext_lazy("model", "alert rule")
        verbose_name_plural = pgettext_lazy("model", "alert rules")
        default_permissions = ()
        permissions = [
            ("view_alerts", "Can see alerts"),
            ("set_alerts", "Can set up alerts"),
        ]

    def __str__(self) -> str:
        return f"rule {self.kind} {self.public_id}"


class Alarm(models.Model):
    """One thing that a rule found, from its beginning to its end."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="alarms")
    subject = models.CharField(max_length=80)
    """What it is about, such as `account:3`. Never a number."""
    text = models.TextField()
    """A stored text (`core.stored_texts`)."""
    began_at = RowTimeField()
    seen_at = RowTimeField()
    """When the rule found it last."""
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=("rule", "subject"),
                name="one_open_alarm",
                condition=models.Q(ended_at=None),
            )
        ]
        indexes = [models.Index(fields=("ended_at",), name="alarm_by_end")]

    def __str__(self) -> str:
        return f"{self.rule_id}: {self.subject}"


class Told(models.Model):
    """That a receiver was told of an alarm."""

    alarm = models.ForeignKey(Alarm, on_delete=models.CASCADE, related_name="told")
    receiver = models.ForeignKey(Receiver, on_delete=models.CASCADE, related_name="+")
    told_at = models.DateTimeField()
    """Last."""
    is_over_told = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=("alarm", "receiver"), name="alarm_told_once")
        ]

    def __str__(self) -> str:
        return f"{self.alarm_id} to {self.receiver_id}"


class Delivery(models.Model):
    """One message to one receiver: what is to be sent, and afterwards the log of it."""

    public_id = models.CharField(max_length=24, unique=True, default=_public_id)
    rule = models.ForeignKey(Rule, on_delete=models.SET_NULL, null=True, related_name="deliveries")
    receiver = models.ForeignKey(
        Receiver, on_delete=models.SET_NULL, null=True, related_name="deliveries"
    )
    receiver_name = models.CharField(max_length=60)
    kind = models.CharField(max_length=24, blank=True)
    """The kind of the rule. Empty: a test."""
    occasion = models.CharField(max_length=8)
    lines = models.JSONField(default=list)
    """The first alarms as stored texts."""
    count = models.PositiveIntegerField(default=1)
    """How many alarms it stands for."""
    since = models.DateTimeField(null=True)
    """When the first of them began."""
    page = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=12, default=DeliveryState.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = RowTimeField()
    """When the next try is due."""
    claim = models.CharField(max_length=32, blank=True)
    claimed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=24, blank=True)
    """A key of `alerts.presentation.error_texts`."""
    seconds = models.FloatField(null=True)
    """How long the last try took."""
    created_at = RowTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = pgettext_lazy("model", "sent alert")
        verbose_name_plural = pgettext_lazy("model", "sent alerts")
        default_permissions = ()
        indexes = [
            models.Index(fields=("state", "next_at"), name="alert_by_state"),
            models.Index(fields=("receiver", "-created_at"), name="alert_by_receiver"),
            models.Index(fields=("created_at",), name="alert_by_time"),
        ]

    def __str__(self) -> str:
        return f"alert {self.public_id}"


class Watch(models.Model):
    """What the portal knows of its own watch: one row."""

    SINGLETON = 1

    evaluated_at = models.DateTimeField(null=True)
    muted_until = models.DateTimeField(null=True)
    ping_url = EncryptedField(blank=True)
    """The address that is asked each minute, so that somebody notices if it stops."""
    ping_shown = models.CharField(max_length=120, blank=True)
    """Its host."""
    ping_claimed_at = models.DateTimeField(null=True)
    pinged_at = models.DateTimeField(null=True)
    ping_worked_at = models.DateTimeField(null=True)
    ping_error = models.CharField(max_length=24, blank=True)
    ping_seconds = models.FloatField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return "watch"


def the_watch() -> Watch:
    return Watch.objects.get_or_create(pk=Watch.SINGLETON)[0]
