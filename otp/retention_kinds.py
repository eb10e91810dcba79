"""How long the numbers of codes are kept."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from core.phones.erased import FORGOTTEN, START
from core.retention import Kind, register

from .models import Session
from .states import ENDED


def _sessions() -> QuerySet[Session]:
    ended = Session.objects.filter(state__in=sorted(ENDED))
    return ended.exclude(recipient__startswith=START)


def register_kinds() -> None:
    register(
        Kind(
            "code_numbers",
            _("Numbers of codes"),
            _("Country, the beginning of the number, state, tries and times stay."),
            _sessions,
            "created_at",
            proposed=400,
            least=7,
            number="recipient",
            cleared={"recipient": FORGOTTEN, "text": ""},
        )
    )
