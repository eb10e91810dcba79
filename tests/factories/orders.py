"""Factory of orders."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from providers.models import Account
from rentals import place_orders
from rentals.models import Order
from tests.factories.accounts import make_account
from tests.factories.staff import make_user

_serial = count(1)


def make_order(account: Account | None = None, **fields: Any) -> Order:
    """Make a queued order; by default of a number for WhatsApp in Indonesia."""
    account = account or make_account("gosms")
    by = fields.pop("by", None) or make_user("rentals.rent_order")
    rent_request = place_orders.RentRequest(
        account=account,
        project=fields.pop("project", "whatsapp"),
        region=fields.pop("region", "ID"),
        keep_trying=fields.pop("keep_trying", None),
        cancel_after=fields.pop("cancel_after", None),
    )
    (order,), _ = place_orders.place(rent_request, by=by, form_token=f"token{next(_serial)}")
    return change(order, **fields)


def make_rented(account: Account | None = None, **fields: Any) -> Order:
    """Make a pending order, as if its number had been rented just now."""
    now = timezone.now()
    return make_order(
        account,
        **{
            "state": "pending",
            "provider_id": str(next(_serial)),
            "phone": "+6281234567890",
            "price": Decimal("0.50"),
            "provider_state": "pending",
            "handed_over_at": now,
            "answered_at": now,
            "placed_at": now,
            "expires_at": now + timedelta(minutes=10),
            "next_poll_at": now + timedelta(seconds=3),
            **fields,
        },
    )


def change(order: Order, **fields: Any) -> Order:
    """Save these values in the row without any check."""
    for name, value in fields.items():
        setattr(order, name, value)
    order.save()
    return order
