"""The chain of seals over what people did, and the checks of it."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Act
from providers import clock

VIEW_ALL: Final = "audit.view_entry"
VIEW_MANAGED: Final = "audit.view_managed"
ACCEPT: Final = "audit.accept_break"


class Entry(Act):
    """An act as the audit log shows it."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        permissions = (
            ("view_managed", "Can view what others did with what this person manages"),
            ("accept_break", "Can accept a break of the chain"),
        )
        ordering = ("-at", "-pk")
        verbose_name = _("audit log entry")
        verbose_name_plural = _("audit log entries")


class ActAddress(models.Model):
    """The client address from which an act came. `audit.addresses` writes it.

    The act holds a salted digest of it. Address and salt may be blanked, and are never changed
    otherwise.
    """

    act = models.OneToOneField(
        Act, on_delete=models.CASCADE, primary_key=True, related_name="address_row"
    )
    at = models.DateTimeField()
    """The time of the act."""
    address = models.CharField(max_length=45, blank=True)
    salt = models.CharField(max_length=64, blank=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=("at", "act"), name="act_address_oldest", condition=~models.Q(address="")
            ),
            models.Index(fields=("address",), name="act_by_address"),
        ]

    def __str__(self) -> str:
        return f"address of act {self.act_id}"


class Seal(models.Model):
    """A keyed hash over some acts and over the seal before. `audit.seal_acts` writes it."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    count = models.PositiveIntegerField()
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    """The lowest and the highest id of the acts. Others between them may have other seals."""
    digest = models.CharField(max_length=64)
    """Of the acts in the order of their ids."""
    previous = models.CharField(max_length=64, blank=True)
    """The hash of the seal before."""
    lost = models.JSONField(null=True)
    """`number` and `hash` of a seal that this host remembers and the database no longer has."""
    hash = models.CharField(max_length=64)
    """Of everything above."""
    key = models.CharField(max_length=8)
    """Which key made the `mac`."""
    mac = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"seal {self.number}"


class ChainCheck(models.Model):
    """One walk along the whole chain, in slices."""

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    """Who asked for it. None: the portal, once a day."""
    begun_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)
    reached = models.BigIntegerField(default=0)
    """The number of the last seal that was checked."""
    acts = models.BigIntegerField(default=0)
    breaks = models.JSONField(default=list)
    """What was found: `kind`, `seal`, `act` and `found` of each, also what was accepted."""

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=("-begun_at",), name="chain_check_newest")]

    def __str__(self) -> str:
        return f"check of {self.begun_at}"
