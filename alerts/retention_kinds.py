"""How long the log of what was told is kept."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.retention import Kind, register

from .models import Delivery

SENT_ALERTS: Final = "sent_alerts"
DAYS: Final = 400


def _rows() -> QuerySet[Delivery]:
    return Delivery.objects.all()


def _days() -> int | None:
    return DAYS


def register_kinds() -> None:
    register(
        Kind(
            SENT_ALERTS,
            _("Sent alerts"),
            _("Nothing stays. Rules and receivers are kept until they are removed."),
            _rows,
            "created_at",
            _days,
        )
    )
