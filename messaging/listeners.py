"""Who must hear what became of a message. An app whose rows hang on messages registers here.

A message names its owner as `kind:id` in `belongs_to`, so that nothing is asked for the
many that have none. Owners are told in the very transaction that moved the message.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Final, TypeAlias

from django.db import transaction
from django.db.models import QuerySet

from providers.engine.work_source import DATABASE_AWAY

from .models import Message

logger = logging.getLogger(__name__)

Listener: TypeAlias = Callable[[Collection[int]], None]
"""Gets the ids of messages that may have moved and reads their states itself. It is told too
often rather than too seldom, so it must come to the same end each time."""

_listeners: Final[dict[str, Listener]] = {}


def register(kind: str, listener: Listener) -> None:
    _listeners[kind] = listener


def owners_of(rows: QuerySet[Message]) -> list[tuple[int, str]]:
    """Id and owner of those that have one; to be read before they are moved."""
    return list(rows.exclude(belongs_to="").order_by("pk").values_list("pk", "belongs_to"))


def notify(messages: Collection[tuple[int, str]]) -> None:
    """Pairs of a message's id and what it belongs to; nothing for an empty owner."""
    for kind, listener in _listeners.items():
        ids = [pk for pk, belongs_to in messages if belongs_to.startswith(f"{kind}:")]
        if ids:
            _notify(listener, ids)


def _notify(listener: Listener, ids: Collection[int]) -> None:
    """An owner at fault must not undo what is known of a message that was paid for."""
    try:
        with transaction.atomic():
            listener(ids)
    except DATABASE_AWAY:
        raise
    except Exception:
        logger.exception("The owners of some messages could not be told.")
