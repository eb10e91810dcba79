"""How long texts and numbers of messages are kept."""

from __future__ import annotations

from typing import Final

from django.db.models import Q, QuerySet
from django.db.models.functions import Length
from django.utils.translation import gettext_lazy as _

from core.phones.erased import FORGOTTEN, START
from core.retention import Kind, register

from .models import Message
from .states import WAITING, MessageState

TEXTS: Final = "texts"
NUMBERS: Final = "message_numbers"
_OPEN: Final = Q(state__in=[*WAITING, MessageState.UNKNOWN])


def _texts() -> QuerySet[Message]:
    return Message.objects.exclude(_OPEN).exclude(text="")


def _numbers() -> QuerySet[Message]:
    return Message.objects.exclude(_OPEN).exclude(recipient__startswith=START)


def register_kinds() -> None:
    register(
        Kind(
            TEXTS,
            _("Texts of messages"),
            _("Its length, segments, encoding, state and cost stay. It cannot be sent again."),
            _texts,
            "created_at",
            proposed=180,
            least=7,
            number="recipient",
            cleared={"length": Length("text"), "text": ""},
        )
    )
    register(
        Kind(
            NUMBERS,
            _("Numbers of messages"),
            _("Country, account, state, times and cost stay, and so do all figures."),
            _numbers,
            "created_at",
            proposed=400,
            least=7,
            number="recipient",
            cleared={"recipient": FORGOTTEN},
        )
    )
