"""Find orders by a complete id: ours, or the provider's."""

from __future__ import annotations

from core.admin.exact_search import keys_of

from .models import Order


def find_orders(identity: str) -> list[int]:
    """Return the keys of the orders that have exactly this id."""
    return keys_of(
        Order.objects.filter(public_id=identity[:24]),
        # Without exclude(), SQLite would not use the partial index.
        Order.objects.filter(provider_id=identity[:100]).exclude(provider_id=""),
    )
