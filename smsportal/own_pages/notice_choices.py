"""Which notices a person does not want. Those about their own security always come."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from core import notices

from ..models import Preferences

LONGEST: Final = 500
"""Characters of the stored kinds."""


def off_kinds(user_id: int) -> frozenset[str]:
    """The kinds that the person switched off. A later version may know fewer of them."""
    stored = Preferences.objects.filter(pk=user_id).values_list("quiet_notices", flat=True).first()
    return frozenset((stored or "").split()) & {kind.key for kind in notices.switchable_kinds()}


def quiet_text(wanted: Collection[str]) -> str:
    """What `Preferences.quiet_notices` holds if a person wants only these kinds."""
    known = [kind.key for kind in notices.switchable_kinds()]
    return " ".join(key for key in known if key not in wanted)[:LONGEST]


def register() -> None:
    notices.ask_choices(off_kinds)
