"""How long the SMS of rented numbers are kept."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.retention import Kind, register

from .models import Order
from .states import OPEN


def _orders() -> QuerySet[Order]:
    ended = Order.objects.exclude(state__in=sorted(OPEN)).filter(
        sms_at__isnull=False, next_poll_at=None
    )
    return ended.exclude(code="", content="", differing_texts="")


def register_kinds() -> None:
    register(
        Kind(
            "rented_sms",
            _("Codes and texts that rented numbers received"),
            _("The number, app, state, times, price and ledger stay."),
            _orders,
            "created_at",
            proposed=180,
            least=7,
            number="phone",
            cleared={"code": "", "content": "", "differing_texts": ""},
        )
    )
