"""Turn the good rows of a batch into queued messages.

This happens in chunks. Each transaction inserts one chunk of messages and advances the batch's
cursor (`laid_out_to`), so killed or concurrent runs neither skip nor repeat a row.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, Q
from django_q.tasks import async_task

from core.bulk_insert import insert_rows
from providers import clock
from providers.hold.holdable import FROM_BEFORE
from providers.models import public_id

from ..do_not_send import REASON, listed_numbers
from ..models import Batch, Message, StagedRow, reference
from ..released import may_have_been_sent
from ..states import NEVER_LEFT, MessageState
from .importing.validate import RowProblem
from .row_caps import REASONS as REASON_OF_CAP
from .row_caps import RowCaps
from .states import BatchState

CHUNK: Final = 1_000
"""Rows per transaction. On SQLite each one blocks all other writers for about 0.1 s."""
CHANGES: Final = ("state", "hold", "released_from", "laid_out_to", "started_at")
LONGEST_RUN: Final = 45.0
"""Seconds. The queue kills a task after 90."""
ALREADY_RESENT: Final = "sent_again_already"


def run(batch: Batch) -> bool:
    """Fan out the remaining rows until `LONGEST_RUN`. Returns True if rows are left."""
    until = time.monotonic() + LONGEST_RUN
    while time.monotonic() < until:
        if not _fan_out_chunk(batch):
            return False
        # Let other writers reach the database.
        time.sleep(0.005)
    return True


def _fan_out_chunk(batch: Batch) -> bool:
    batch.refresh_from_db(fields=(*CHANGES, "answerable", "ended_by"))
    has_begun = batch.state in (BatchState.SENDING, BatchState.PAUSED) and batch.started_at
    if not has_begun and not _is_dropped(batch):
        return False
    good = StagedRow.objects.filter(
        batch=batch, verdict=StagedRow.Verdict.GOOD, pk__gt=batch.laid_out_to
    )
    rows = list(good.order_by("pk")[:CHUNK])
    if not rows:
        return False
    with transaction.atomic():
        values = _values_by_row(batch, rows)
        moved = Batch.objects.filter(
            pk=batch.pk, laid_out_to=batch.laid_out_to, state=batch.state
        ).update(laid_out=F("laid_out") + len(rows), laid_out_to=rows[-1].pk)
        if moved:
            _refuse_beyond_caps(batch, rows, values)
            insert_messages(_common_message(batch), values)
    # If the batch changed meanwhile, the next chunk starts from what it is then.
    return True


def _is_dropped(batch: Batch) -> bool:
    """Whether the batch had started and was dropped from a hold, or cancelled after its release.

    A newer database may have sent its rows, so each becomes a message that says so.
    """
    started = batch.started_at is not None
    return started and batch.state == BatchState.CANCELLED and may_have_been_sent(batch)


def _common_message(batch: Batch) -> Message:
    """A message with the values that all messages of the batch share."""
    now = clock.now()
    dropped = _is_dropped(batch)
    return Message(
        state=MessageState.UNKNOWN if dropped else MessageState.QUEUED,
        reason=FROM_BEFORE if dropped else "",
        hold_id=batch.hold_id if dropped else None,
        ended_at=now if dropped else None,
        ended_by_id=batch.ended_by_id if dropped else None,
        account_id=batch.account_id,
        price=batch.account.price_per_segment,
        kind=Message.Kind.TEXT,
        sms_kind=batch.sms_kind,
        sender_id=batch.sender_id,
        batch_id=batch.pk,
        created_by_id=batch.answerable_id,
        created_at=now,
        queued_at=now,
        not_before=now,
    )


def _values_by_row(batch: Batch, rows: Sequence[StagedRow]) -> list[dict[str, Any]]:
    # Of a batch that is or was on hold it is not known whether a row was sent before its number was
    # listed. The engine asks the list again.
    listed = set() if may_have_been_sent(batch) else listed_numbers([row.recipient for row in rows])
    repeated = set() if _is_dropped(batch) else _already_resent(rows)
    values_by_row = []
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
            # It still becomes a message, so that the figures add up.
            values["state"] = MessageState.CANCELLED
            values["reason"] = REASON if row.recipient in listed else ALREADY_RESENT
            values["ended_at"] = clock.now()
            values["sent_again_from_id"] = None
        values_by_row.append(values)
    return values_by_row


def _refuse_beyond_caps(
    batch: Batch, rows: Sequence[StagedRow], values_by_row: Sequence[dict[str, Any]]
) -> None:
    """Count the rows in the caps on their recipients. Those beyond one become messages that are
    not sent, and their row says which cap."""
    caps = RowCaps()
    if not caps.is_needed or _is_dropped(batch):
        return
    pairs = [
        (row, values)
        for row, values in zip(rows, values_by_row, strict=True)
        if "state" not in values
    ]
    caps.read([(row.recipient, row.country) for row, _ in pairs], locked=True)
    refused = []
    for row, values in pairs:
        limit = caps.take(row.recipient)
        if limit is None:
            continue
        # Of a batch that was on hold it is not known whether the row was sent before.
        unclear = may_have_been_sent(batch)
        values["state"] = MessageState.UNKNOWN if unclear else MessageState.CANCELLED
        values["reason"] = FROM_BEFORE if unclear else REASON_OF_CAP[limit.cap.scope]
        values["ended_at"] = clock.now()
        if not unclear:
            values["sent_again_from_id"] = None
        row.problem, row.values = RowProblem.CAP, caps.values_of(limit)
        refused.append(row)
    caps.save()
    StagedRow.objects.bulk_update(refused, ("problem", "values"), batch_size=200)


def _already_resent(rows: Sequence[StagedRow]) -> set[int | None]:
    """Originals that were resent elsewhere since the rows were read."""
    originals = {row.again_from_id for row in rows if row.again_from_id}
    if not originals:
        return set()
    # The lock serialises two batches that resend the same messages.
    locked = Message.objects.filter(pk__in=originals).order_by("pk").select_for_update()
    list(locked.values_list("pk", flat=True))
    repeats = Message.objects.filter(sent_again_from__in=originals).exclude(state__in=NEVER_LEFT)
    return set(repeats.values_list("sent_again_from_id", flat=True))


def insert_messages(common: Message, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert messages like `common`, each with its own ids and the values of its row by column.

    The columns they share are prepared once, because on SQLite this keeps all others from writing.
    The caller opens the transaction.
    """
    fields = [field for field in Message._meta.concrete_fields if not field.primary_key]
    shared = {
        field.attname: field.get_db_prep_save(field.pre_save(common, add=True), connection)
        for field in fields
    }
    by_name = {field.attname: field for field in fields}
    values = []
    for row in rows:
        own = {
            name: by_name[name].get_db_prep_save(value, connection) for name, value in row.items()
        }
        own |= {"public_id": public_id(), "reference": reference()}
        values.append([*{**shared, **own}.values()])
    insert_rows(Message._meta.db_table, [str(field.column) for field in fields], values)


def queue_fan_out(batch: Batch) -> None:
    """Part of the caller's transaction. `tasks.tend` asks again if this task is lost."""
    async_task("messaging.batches.tasks.lay_out", batch.pk, task_name="batch: lay out")


def unfinished_batches() -> list[Batch]:
    """Started batches with rows that have not become messages yet."""
    return list(
        Batch.objects.filter(
            state__in=(BatchState.SENDING, BatchState.PAUSED),
            started_at__isnull=False,
            laid_out__lt=F("good"),
        )
    )


def unfinished_on_hold() -> Q:
    """Selects batches dropped from a hold with rows that have not become messages yet."""
    cancelled = Q(state=BatchState.CANCELLED, started_at__isnull=False, laid_out__lt=F("good"))
    return cancelled & (Q(hold__isnull=False) | Q(released_from__isnull=False))
