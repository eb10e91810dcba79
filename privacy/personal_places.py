"""What this app itself keeps of numbers: hashes, masked numbers, and encrypted ones for a time."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from core.personal_data import Place, excuse, register

from .models import LegalHold


def register_places() -> None:
    excuse(
        "The number is encrypted while it is being erased, and wiped then. A hash stays.",
        "privacy.erasure",
        "privacy.erasednumber",
        "privacy.restoredsearch",
    )
    excuse("Words of the portal.", "privacy.retentionrule")
    register(
        Place(
            LegalHold,
            pgettext_lazy("title", "Legal holds"),
            searched=("number", "reason", "lifted_because"),
            excused={"digest": "a keyed hash", "masked": "a masked number"},
        )
    )
