"""Find messages by a complete id: ours, or the provider's."""

from __future__ import annotations

from core.admin.exact_search import keys_of

from .models import Message


def find_messages(identity: str) -> list[int]:
    """Return the keys of the messages that have exactly this id."""
    rows = Message.objects
    return keys_of(
        rows.filter(reference=identity[:32].lower()),
        rows.filter(public_id=identity[:24]),
        # Without exclude(), SQLite would not use the partial index.
        rows.filter(provider_id=identity[:200]).exclude(provider_id=""),
    )
