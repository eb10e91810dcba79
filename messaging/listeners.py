"""Callbacks for apps whose rows own messages.

A message names its owner as `kind:id` in `belongs_to`, so messages without an owner cost no
query. A listener runs in the same transaction that moved the message.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Final, TypeAlias

from django.db import transaction
from django.db.models import QuerySet

from providers.engine.database_errors import concerns_row

from .models import Message

logger = logging.getLogger(__name__)

Listener: TypeAlias = Callable[[Collection[int]], None]
"""Takes the ids of messages that may have moved, and reads their states itself.

It is called too often rather than too rarely, so it must be idempotent."""

_listeners: Final[dict[str, Listener]] = {}


def register(kind: str, listener: Listener) -> None:
    """Call `listener` for messages whose `belongs_to` starts with `kind:`."""
    _listeners[kind] = listener


def owners_of(rows: QuerySet[Message]) -> list[tuple[int, str]]:
    """Return the id and owner of each message that has an owner.

    Call it before the messages move: afterwards `rows` may select nothing.
    """
    return list(rows.exclude(belongs_to="").order_by("pk").values_list("pk", "belongs_to"))


def notify(messages: Collection[tuple[int, str]]) -> None:
    """Call the listeners of these messages, given as pairs of id and `belongs_to`."""
    for kind, listener in _listeners.items():
        ids = [pk for pk, belongs_to in messages if belongs_to.startswith(f"{kind}:")]
        if ids:
            _notify(listener, ids)


def _notify(listener: Listener, ids: Collection[int]) -> None:
    """Call one listener in a savepoint: its fault must not undo the result of a paid message."""
    try:
        with transaction.atomic():
            listener(ids)
    except Exception as error:
        if not concerns_row(error):
            raise
        logger.exception("A listener failed for some messages.")
