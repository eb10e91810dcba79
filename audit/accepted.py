"""Breaks of the chain that somebody accepted with a reason, so that they no longer alarm.

An acceptance is an act, so it is sealed itself. It holds for exactly what was found: whatever else
changes in the same place is a new break.
"""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User

from core.acts import record_act
from core.models import Act

from .breaks import Break

ACCEPTED: Final = "audit.accept_break"


def accept(one: Break, by: User, reason: str) -> Act:
    return record_act(
        ACCEPTED,
        by=by,
        reason=reason,
        key=one.key,
        kind=str(one.kind),
        seal=one.seal,
        act=one.act,
    )


def acceptances() -> dict[str, Act]:
    """The acts that accepted breaks, by the keys of these."""
    acts = Act.objects.filter(what=ACCEPTED).select_related("by", "personal_row").order_by("-pk")
    return {str(act.details.get("key")): act for act in acts}


def accepted_keys() -> set[str]:
    found = Act.objects.filter(what=ACCEPTED).order_by().values_list("details__key", flat=True)
    return {str(key) for key in found}
