"""How far a provider's clock is ahead of ours, told by the orders that it placed for us."""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from typing import Final

from .models import Order

LOOKED_AT: Final = 9
"""Newest orders: one that was slow to be answered says too little by itself."""


def ahead(account_id: int) -> timedelta | None:
    """None: nothing that would tell was placed here yet."""
    told = Order.objects.filter(account=account_id, imported=False, settled_at=None)
    told = told.exclude(created_there=None).exclude(answered_at=None)
    times = told.order_by("-created_at").values_list("created_there", "answered_at")[:LOOKED_AT]
    seconds = [(there - here).total_seconds() for there, here in times if there and here]
    return timedelta(seconds=median(seconds)) if seconds else None
