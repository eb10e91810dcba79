"""What a provider states about an order: columns of our orders and of those in its list."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.fields import EncryptedField


class Stated(models.Model):
    """What a provider has stated about an order.

    Later answers never change a code, text or time that is set; differing values of an order are
    kept in `Order.differing`.
    """

    phone = models.CharField(pgettext_lazy("field", "number"), max_length=100, blank=True)
    price = models.DecimalField(
        pgettext_lazy("field", "price"), max_digits=18, decimal_places=4, null=True, blank=True
    )
    provider_state = models.CharField(max_length=100, blank=True)
    """The state that the provider stated last: our word for it, or its own if unknown."""
    code = EncryptedField(blank=True)
    content = EncryptedField(blank=True)
    created_there = models.DateTimeField(null=True)
    expires_there = models.DateTimeField(null=True)
    received_there = models.DateTimeField(_("received at"), null=True)
    raw_times = models.JSONField(default=dict)
    """Times that name no moment, as stated. A lifetime is read from two without a time zone."""

    class Meta:
        abstract = True
