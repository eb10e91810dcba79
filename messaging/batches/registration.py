"""What batches tell the rest of the portal when it starts."""

from __future__ import annotations

from providers.engine import sources

from . import labels, unreadable, words
from .dispatch import BatchSource


def register() -> None:
    sources.register(BatchSource())
    labels.register()
    unreadable.register()
    words.register()
