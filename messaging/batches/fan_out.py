"""From the good rows of a batch to messages that wait for their turn.

In chunks, each with its place in the list moved on in the same transaction, so that a run
that is killed, or two at a time, leave no row out and make none twice.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ..do_not_send import REASON, listed_numbers
from ..models import Batch, Message, StagedRow
from ..states import NEVER_LEFT, MessageState
from . import message_rows
from .states import BatchState

CHUNK: Final = 1_000
"""Rows: a tenth of a second in which nobody else may write (SQLite)."""
LONGEST_RUN: Final = 45.0
"""Seconds; the queue ends a task after 90."""
ALREADY_REPEATED: Final = "sent_again_already"


def run(batch: Batch) -> bool:
    """Lay out what is left, as long as there is time. True: there is more."""
    until = time.monotonic() + LONGEST_RUN
    while time.monotonic() < until:
        if not _lay_out_chunk(batch):
            return False
        # Whoever waits for the database gets in between.
        time.sleep(0.005)
    return True


def _lay_out_chunk(batch: Batch) -> bool:
    batch.refresh_from_db(fields=("state", "laid_out_to", "answerable"))
    if batch.state not in (BatchState.SENDING, BatchState.PAUSED):
        return False
    good = StagedRow.objects.filter(
        batch=batch, verdict=StagedRow.Verdict.GOOD, pk__gt=batch.laid_out_to
    )
    rows = list(good.order_by("pk")[:CHUNK])
    if not rows:
        return False
    with transaction.atomic():
        values = _own_values(batch, rows)
        moved = Batch.objects.filter(
            pk=batch.pk,
            laid_out_to=batch.laid_out_to,
            state__in=(BatchState.SENDING, BatchState.PAUSED),
        ).update(laid_out=F("laid_out") + len(rows), laid_out_to=rows[-1].pk)
        if moved:
            message_rows.insert(_message_of(batch), values)
    # Where another run was faster, its place is where this one goes on.
    return True


def _message_of(batch: Batch) -> Message:
    """What the messages of a batch have in common."""
    now = timezone.now()
    return Message(
        account_id=batch.account_id,
        kind=Message.Kind.TEXT,
        sms_kind=batch.sms_kind,
        sender_id=batch.sender_id,
        batch_id=batch.pk,
        created_by_id=batch.answerable_id,
        created_at=now,
        queued_at=now,
        not_before=now,
    )


def _own_values(batch: Batch, rows: Sequence[StagedRow]) -> list[dict[str, Any]]:
    listed = listed_numbers([row.recipient for row in rows])
    repeated = _repeated_meanwhile(rows)
    found = []
    for row in rows:
        values = {
            "recipient": row.recipient,
            "country": row.country,
            "text": row.text or batch.text,
            "encoding": row.encoding,
            "segments": row.segments,
            "batch_row": row.number,
            "sent_again_from_id": row.again_from_id,
        }
        if row.recipient in listed or row.again_from_id in repeated:
            # It becomes a message all the same, so that the figures add up.
            values["state"] = MessageState.CANCELLED
            values["reason"] = REASON if row.recipient in listed else ALREADY_REPEATED
            values["ended_at"] = timezone.now()
            values["sent_again_from_id"] = None
        found.append(values)
    return found


def _repeated_meanwhile(rows: Sequence[StagedRow]) -> set[int | None]:
    """Messages to be sent again that somebody has sent again since the rows were read."""
    originals = {row.again_from_id for row in rows if row.again_from_id}
    if not originals:
        return set()
    # Locked, so that two batches that send the same again wait for each other.
    locked = Message.objects.filter(pk__in=originals).order_by("pk").select_for_update()
    list(locked.values_list("pk", flat=True))
    repeats = Message.objects.filter(sent_again_from__in=originals).exclude(state__in=NEVER_LEFT)
    return set(repeats.values_list("sent_again_from_id", flat=True))


def unfinished() -> list[Batch]:
    """Batches with rows that are no messages yet."""
    return list(
        Batch.objects.filter(
            state__in=(BatchState.SENDING, BatchState.PAUSED),
            started_at__isnull=False,
            laid_out__lt=F("good"),
        )
    )
