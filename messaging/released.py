"""How messages end that were released from a hold and are then not sent.

They may have been sent before the hold. So they end as unknown, never as cancelled or not sent.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from providers.hold.holdable import FROM_BEFORE

from .models import Batch, Message
from .states import MESSAGE_STATES, MessageState


def was_released() -> Q:
    """Selects messages that were released from a hold, alone or with their batch."""
    released = Batch.objects.filter(pk=OuterRef("batch"), released_from__isnull=False)
    return Q(released_from__isnull=False) | Q(Exists(released))


def may_have_been_sent(batch: Batch) -> bool:
    """Whether a newer database may have sent messages that wait in this batch."""
    return batch.hold_id is not None or batch.released_from_id is not None


def released_at(message: Message) -> datetime | None:
    """When the hold began from which the message was released, alone or with its batch."""
    hold = message.released_from or (message.batch.released_from if message.batch else None)
    return hold.started_at if hold else None


def end_unsent(
    rows: QuerySet[Message], state: MessageState, sources: Collection[MessageState], **changes: Any
) -> int:
    """End waiting messages in `state`, and released ones as unknown. Returns how many ended."""
    unknown = {**changes, "reason": FROM_BEFORE}
    moved = MESSAGE_STATES.move(
        rows.filter(was_released()), MessageState.UNKNOWN, sources=sources, **unknown
    )
    return moved + MESSAGE_STATES.move(
        rows.exclude(was_released()), state, sources=sources, **changes
    )
