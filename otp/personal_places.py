"""Where codes hold a phone number."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.personal_data import Place, excuse, register

from .models import Attempt, SendGap, Session
from .states import OPEN


def register_places() -> None:
    register(
        Place(
            Session,
            pgettext_lazy("title", "Codes"),
            subject="session",
            number="recipient",
            searched=("text",),
            mentioned=("text",),
            under_way=Q(state__in=sorted(OPEN)),
            handed_out=(
                "public_id",
                "created_at",
                "recipient",
                "country",
                "state",
                "tries",
                "sent_at",
                "delivered_at",
                "verified_at",
                "ended_at",
            ),
            excused={
                "prefix": "the beginning of a number, which many share",
                "reason": "a word of the portal",
                "sms_state": "a word of the portal",
            },
        )
    )
    register(
        Place(
            Attempt,
            _("Tries of codes"),
            searched=("words",),
            excused={
                "code": "a code, wiped once it was checked",
                "reason": "a word of the portal",
            },
        )
    )
    register(Place(SendGap, _("Gaps between codes"), number="recipient", is_deleted=True))
    excuse("Keyed hashes of codes.", "otp.sentcode")
