"""Where rented numbers, their SMS and the ledger hold a phone number."""

from __future__ import annotations

from typing import Final

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.personal_data import Place, excuse, register

from .models import Cancel, Finding, FoundOrder, HandOver, Order, Reading, Transaction
from .states import OPEN

_STATED: Final = {
    "provider_id": "the provider's id, for its bill",
    "project": "a word of the provider",
    "raw_times": "times as stated",
}
_WORD: Final = "a word of the portal"


def register_places() -> None:
    register(
        Place(
            Order,
            pgettext_lazy("title", "Rented numbers"),
            subject="order",
            number="phone",
            cleared={"code": "", "content": "", "differing_texts": "", "differing": []},
            searched=(
                "code",
                "content",
                "words",
                "warnings",
                "settled_because",
                "provider_state",
                "differing",
                "differing_texts",
            ),
            mentioned=("content", "words", "differing_texts"),
            under_way=Q(state__in=sorted(OPEN)) | Q(next_poll_at__isnull=False),
            handed_out=(
                "public_id",
                "created_at",
                "phone",
                "project",
                "region",
                "state",
                "placed_at",
                "sms_at",
                "content",
                "ended_at",
            ),
            excused={**_STATED, "reason": _WORD},
        )
    )
    register(
        Place(
            FoundOrder,
            _("Orders placed outside the portal"),
            number="phone",
            cleared={"code": "", "content": ""},
            searched=("code", "content", "provider_state"),
            mentioned=("content",),
            handed_out=("phone", "project", "region", "stated", "content", "first_seen_at"),
            excused={**_STATED, "stated": _WORD},
        )
    )
    register(
        Place(
            Transaction,
            pgettext_lazy("title", "Transactions"),
            searched=("description", "differing"),
            mentioned=("description",),
            excused={
                "provider_id": "the provider's id",
                "type": "a word of the provider",
                "order_provider_id": "the provider's id",
                "raw_created_there": "a time as stated",
            },
        )
    )
    register(
        Place(
            Finding,
            _("Findings of the ledger check"),
            searched=("ours", "theirs", "explained_because"),
            excused={"about": "the provider's id"},
        )
    )
    register(Place(Cancel, _("Cancel requests"), searched=("words",), excused={"reason": _WORD}))
    register(
        Place(
            Reading,
            _("Readings of lists"),
            searched=("words",),
            excused={
                "reason": _WORD,
                "pass_digest": "a hash of a list",
                "earlier_digest": "a hash of a list",
            },
        )
    )
    register(Place(HandOver, pgettext_lazy("title", "Hand-overs"), searched=("to_name",)))
    excuse("Names of apps and countries.", "rentals.project", "rentals.region", "rentals.favourite")
