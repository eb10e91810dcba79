"""Both sides of a finding, as it keeps them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.templatetags.portal import amount

from .models import Order, Transaction


def our_side(order: Order | None) -> dict[str, Any]:
    if order is None:
        return {}
    at = order.ended_at or order.answered_at or order.created_at
    return {"state": order.state, "price": _plain(order.price), "at": at.isoformat()}


def provider_row(row: Transaction) -> dict[str, Any]:
    at = row.created_there.isoformat() if row.created_there else row.raw_created_there
    return {"id": row.provider_id, "type": row.type, "amount": _plain(row.amount), "at": at}


def _plain(value: Decimal | None) -> str:
    return amount(value)
