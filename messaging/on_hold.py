"""Which messages are on hold: from before a hold, and not decided yet.

A single message on hold has the state `held` and points to its hold. A message of a batch is on
hold with its batch, whose messages the engine then leaves alone. A message that points to a hold
and has another state was kept by it until that state settled it.
"""

from __future__ import annotations

from typing import Final

from django.db.models import Exists, OuterRef, Q

from .models import Batch, Message
from .states import MessageState

S = MessageState

ON_HOLD: Final = "on_hold"
"""The label of a message, a batch or a code session on hold."""
WAITS: Final = (S.QUEUED, S.CLAIMED, S.HELD, S.SCHEDULED)


def on_hold() -> Q:
    """Selects messages on hold."""
    # A subquery, since an UPDATE with a join would not look again at a row that changes meanwhile.
    held_batch = Batch.objects.filter(pk=OuterRef("batch"), hold__isnull=False)
    waits_in_batch = Q(Exists(held_batch), state__in=WAITS)
    return Q(state__in=(S.HELD, S.QUEUED), hold__isnull=False) | waits_in_batch


def on_hold_parts() -> list[Q]:
    """`on_hold` as disjoint conditions, each of which an index serves."""
    batches = list(Batch.objects.filter(hold__isnull=False).order_by().values_list("pk", flat=True))
    single = Q(batch=None, hold__isnull=False, state__in=(S.HELD, S.QUEUED))
    return [single, *(Q(batch=pk, state__in=WAITS) for pk in batches)]


def not_on_hold() -> Q:
    return ~on_hold()


def is_on_hold(message: Message) -> bool:
    """Reads the batch, so lists select it with the message."""
    if message.state in (S.HELD, S.QUEUED) and message.hold_id is not None:
        return True
    if message.state not in WAITS or message.batch is None:
        return False
    return message.batch.hold_id is not None


def count_on_hold() -> int:
    """As many as `on_hold` selects. In two parts, since each has an index and both at once none."""
    single = Message.objects.filter(hold__isnull=False, state__in=(S.HELD, S.QUEUED), batch=None)
    batches = list(Batch.objects.filter(hold__isnull=False).order_by().values_list("pk", flat=True))
    of_batches = Message.objects.filter(batch__in=batches, state__in=WAITS)
    return single.count() + (of_batches.count() if batches else 0)
