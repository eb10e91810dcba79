"""How long the traffic with providers is kept."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.retention import Kind, register

from .models import ApiCall, Callback

JOURNAL: Final = "journal"
CALLBACKS: Final = "callbacks"


def journal_days() -> int | None:
    return int(settings.JOURNAL_DAYS)


def _calls() -> QuerySet[ApiCall]:
    return ApiCall.objects.all()


def _callbacks() -> QuerySet[Callback]:
    return Callback.objects.exclude(state=Callback.State.RECEIVED)


def register_kinds() -> None:
    register(
        Kind(
            JOURNAL,
            _("API calls"),
            _("What a call led to stays with its message or order."),
            _calls,
            "started_at",
            journal_days,
        )
    )
    register(
        Kind(
            CALLBACKS,
            pgettext_lazy("title", "Callbacks"),
            _("What a callback reported stays with its message or code."),
            _callbacks,
            "last_at",
            journal_days,
            # Unmatched ones are tried for 28 hours.
            least=2,
        )
    )
