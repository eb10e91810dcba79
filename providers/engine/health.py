"""Whether the engine is alive, told by its leases."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Max
from django.db.models.expressions import RawSQL

from ..clock import sql_now
from ..models import Lease
from .leases import TIME_TO_LIVE

TAKE_OVER = 10.0
"""Seconds within which another loop takes over; silence for less is nothing to speak of."""


def silent_since() -> datetime | None:
    """Since when no loop has held a lease; None while one does, or where there is no
    account to hold a lease of. The beginning of time where none was ever held."""
    clock = Max(RawSQL(sql_now(), []))  # noqa: S611 - a constant of ours
    seen = Lease.objects.aggregate(newest=Max("expires_at"), now=clock)
    newest = seen["newest"]
    if newest is None or seen["now"] - newest < TAKE_OVER - TIME_TO_LIVE:
        return None
    return datetime.fromtimestamp(max(newest - TIME_TO_LIVE, 0), UTC)
