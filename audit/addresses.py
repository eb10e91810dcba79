"""The client address of each act, in a row of its own that may be blanked.

The act holds a salted digest of it among its details, which its seal covers.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from core.acting_address import current
from core.acts import Save, digest_of
from core.models import Act
from core.retention import Part
from providers import clock

from .models import ActAddress

DIGEST: Final = "address_digest"
"""The detail of an act with the digest of its address."""
RETENTION: Final = "audit_addresses"
"""The key of the kind of data whose rule says how long addresses are kept."""
CONFIRMED: Final = "retention.confirm"
"""The acts that set such rules."""


def follow(acts: Sequence[Act]) -> Save | None:
    """Note the address of the request in `acts`, which are not saved yet."""
    address = current()
    if not address:
        return None
    rows = [row_of(act, address) for act in acts]

    def save() -> None:
        for row in rows:
            row.act_id = row.act.pk
        ActAddress.objects.bulk_create(rows)

    return save


def row_of(act: Act, address: str) -> ActAddress:
    """The unsaved row of an address, whose digest is set in `act`."""
    salt = secrets.token_hex(32)
    act.details = {**act.details, DIGEST: digest_of(address, salt)}
    return ActAddress(act=act, at=act.at, address=address, salt=salt)


def address_of(act: Act) -> str:
    """Empty if it was erased, and for an act of the portal itself or of its command line."""
    row: ActAddress | None = getattr(act, "address_row", None)
    return row.address if row is not None else ""


def facts_of(act: Act) -> dict[str, Any]:
    """The details that say something to a reader."""
    return {name: value for name, value in act.details.items() if name != DIGEST}


def with_address() -> QuerySet[ActAddress]:
    return ActAddress.objects.exclude(address="")


def retention_part() -> Part:
    """What goes by the rule about addresses."""
    return Part(with_address, "at", {"address": "", "salt": ""})


def forgotten_before() -> datetime | None:
    """Addresses of earlier acts may be gone by the rules that people confirmed. None: there is no
    such rule, nor was there."""
    confirmed = Act.objects.filter(what=CONFIRMED).order_by("at", "pk")
    rules = [
        (at, details.get("days"))
        for at, details in confirmed.values_list("at", "details")
        if details.get("kind") == RETENTION
    ]
    ends = [*(at for at, _days in rules[1:]), clock.now()]
    limits = [
        end - timedelta(days=days)
        for (_at, days), end in zip(rules, ends, strict=False)
        if isinstance(days, int)
    ]
    return max(limits, default=None)
