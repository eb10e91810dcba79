"""Where this app may hold a phone number: only in names that staff typed."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from core.personal_data import Place, excuse, register

from .models import Delivery, Receiver


def register_places() -> None:
    excuse(
        "Keys, counts and names of accounts. The texts are the portal's.",
        "alerts.rule",
        "alerts.rule_receivers",
        "alerts.alarm",
        "alerts.told",
        "alerts.watch",
    )
    register(
        Place(
            Receiver,
            pgettext_lazy("title", "Receivers of alerts"),
            searched=("name",),
            excused={
                "url": "the encrypted address of a service",
                "shown": "the host of a service",
                "service": "a key",
                "language": "a key",
                "time_zone": "the name of a zone",
            },
        )
    )
    register(
        Place(
            Delivery,
            pgettext_lazy("title", "Sent alerts"),
            searched=("receiver_name",),
            excused={
                "lines": "stored texts without numbers",
                "page": "a path of the portal",
                "kind": "a key",
                "occasion": "a key",
                "error": "a key",
                "state": "a key",
                "claim": "a random key",
            },
        )
    )
