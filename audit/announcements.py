"""Breaks of the chain that were announced: by a restore, or by a hold after one."""

from __future__ import annotations

from typing import Final

from core.models import Act
from providers.hold.decisions import BEGUN, EXTENDED
from providers.models import Hold

from .models import Seal

RESTORED: Final = "backup.restore"
NEAR: Final = 3
"""Seals from the cut on in which the announcement may be."""
CAUSES: Final = frozenset({str(Hold.Cause.RESTORED), str(Hold.Cause.OLDER)})


def is_announced(seal: Seal) -> bool:
    """Whether the portal itself noted at that time that another past was put in place."""
    near = Act.objects.filter(seal__range=(seal.number, seal.number + NEAR - 1))
    if near.filter(what=RESTORED).exists():
        return True
    holds = near.filter(what__in=(BEGUN, EXTENDED), by=None)
    return any(
        details.get("cause") in CAUSES for details in holds.values_list("details", flat=True)
    )
