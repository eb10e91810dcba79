"""Starting a batch, and what staff and the portal may do with it afterwards.

Everything is a conditional move, so of two who do something at once one did it. A start
writes down that the batch may go out; its messages are made by the queue (`laying_out`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from core.pruning import delete_in_chunks
from providers import daily_limits
from providers.engine.wake import kick_if_idle
from providers.models import DailyLimit

from ..models import Batch, FilePart, Message, StagedRow
from ..states import MESSAGE_STATES, MessageState
from . import wake
from .states import BATCH_STATES, BatchState

B = BatchState
S = MessageState

PERMISSION: Final = "messaging.bulk_message"
STOOD_STILL: Final = timedelta(hours=24)
"""A batch from which nothing has left for so long goes on only when a person says so."""
WAITED_TOO_LONG: Final = "waited_too_long"
NOT_ALLOWED: Final = "not_allowed"
LIMIT_REACHED: Final = "limit_reached"
CHUNK: Final = 2_000
"""Rows in one statement, so that nobody waits long for the database."""


ENDED: Final = (BatchState.FINISHED, BatchState.CANCELLED)


def may_send(user: User | None) -> bool:
    return user is not None and user.is_active and user.has_perm(PERMISSION)


def start(batch: Batch, by: User) -> bool:
    """Let it go out now. False where it was not ready any more, or was checked anew since
    `batch` was looked at. Raises `LimitReached`, and changes nothing then: a batch counts as
    a whole from the moment of its start."""
    return _start(batch, by, (B.READY,))


def schedule(batch: Batch, by: User, at: datetime) -> bool:
    """Let it start by itself at a time to come. The daily limits count then."""
    changes: dict[str, Any] = {"scheduled_for": at, "answerable_id": by.pk}
    row = _row(batch).filter(**batch.check_summary, good__gt=0)
    return bool(BATCH_STATES.move(row, B.SCHEDULED, reason="", values={}, **changes))


def unschedule(batch: Batch) -> bool:
    return bool(BATCH_STATES.move(_row(batch), B.READY, sources=(B.SCHEDULED,), scheduled_for=None))


def start_due() -> int:
    """Batches whose time has come; one that may not start waits for a person, with the
    reason."""
    now = timezone.now()
    started = 0
    due = Batch.objects.filter(state=B.SCHEDULED, scheduled_for__lte=now)
    for batch in due.select_related("account", "answerable"):
        by = batch.answerable
        if by is None or not may_send(by):
            _pause(batch, NOT_ALLOWED, (B.SCHEDULED,))
            continue
        if batch.scheduled_for and now - batch.scheduled_for > STOOD_STILL:
            _pause(batch, WAITED_TOO_LONG, (B.SCHEDULED,))
            continue
        try:
            started += _start(batch, by, (B.SCHEDULED,))
        except daily_limits.LimitReached as limit:
            values = {"used": limit.used, "most": limit.cap.most}
            _pause(batch, LIMIT_REACHED, (B.SCHEDULED,), values)
    return started


def _start(batch: Batch, by: User, sources: tuple[BatchState, ...]) -> bool:
    now = timezone.now()
    with transaction.atomic():
        caps = daily_limits.caps_of(batch.account, by, DailyLimit.What.MESSAGES)
        moved = BATCH_STATES.move(
            # Started once: else its daily limits would be counted once more.
            _row(batch).filter(**batch.check_summary, good__gt=0, started_at=None),
            B.SENDING,
            sources=sources,
            answerable_id=by.pk,
            started_at=now,
            moved_at=now,
            paused_at=None,
            paused_by_id=None,
            reserved=[cap.name for cap in caps],
            reason="",
            values={},
        )
        if not moved:
            return False
        daily_limits.take(caps, batch.good)
        # Its rows are read: the file is of no more use, and holds more than they do.
        FilePart.objects.filter(batch=batch).delete()
        wake.lay_out(batch)
        kick_if_idle()
    return True


def pause(batch: Batch, by: User) -> bool:
    """Nothing more leaves; the few calls that are under way end."""
    return bool(
        BATCH_STATES.move(
            _row(batch),
            B.PAUSED,
            sources=(B.SENDING,),
            paused_at=timezone.now(),
            paused_by_id=by.pk,
            reason="",
            values={},
        )
    )


def go_on(batch: Batch, by: User) -> bool:
    """Whoever says that it goes on is answerable for it from now on. Raises `LimitReached`
    where it had not started yet."""
    if batch.started_at is None:
        return _start(batch, by, (B.PAUSED,))
    moved = BATCH_STATES.move(
        _row(batch),
        B.SENDING,
        sources=(B.PAUSED,),
        answerable_id=by.pk,
        moved_at=timezone.now(),
        sampled_at=None,
        paused_at=None,
        paused_by_id=None,
        reason="",
        values={},
    )
    wake.lay_out(batch)
    kick_if_idle()
    return bool(moved)


def cancel(batch: Batch, by: User) -> bool:
    """What is out stays out; what waits is cancelled by the queue, and not taken up before.
    What has not gone out is given back to the daily limits."""
    with transaction.atomic():
        moved = BATCH_STATES.move(
            _row(batch), B.CANCELLED, ended_at=timezone.now(), ended_by_id=by.pk
        )
        if moved:
            FilePart.objects.filter(batch=batch).delete()
            # Rows that are no messages yet never become any now.
            stopped = _row(batch).get()
            _give_back(stopped, stopped.good - stopped.laid_out)
            wake.cancel_rest(batch)
    return bool(moved)


def _give_back(batch: Batch, amount: int) -> None:
    if amount and batch.started_at is not None:
        daily_limits.give_back(batch.reserved, amount, batch.started_at)


def cancel_rest(batch: Batch) -> int:
    """The messages of a cancelled batch that wait. May run any number of times."""
    done = 0
    waiting = (S.QUEUED, S.HELD, S.SCHEDULED)
    while True:
        rows = Message.objects.filter(batch=batch, batch__state=B.CANCELLED, state__in=waiting)
        pks = list(rows.order_by().values_list("pk", flat=True)[:CHUNK])
        if not pks:
            return done
        with transaction.atomic():
            moved = MESSAGE_STATES.move(
                Message.objects.filter(pk__in=pks),
                S.CANCELLED,
                sources=waiting,
                ended_at=timezone.now(),
                ended_by_id=batch.ended_by_id,
            )
            _give_back(batch, moved)
        done += moved


# --- what the portal does by itself ------------------------------------------


def note_movement(batch: Batch, now: datetime) -> None:
    """Something leaves; written at most once a minute."""
    if batch.moved_at is None or now - batch.moved_at > timedelta(minutes=1):
        _row(batch).update(moved_at=now)


def pause_stalled() -> None:
    still = Batch.objects.filter(state=B.SENDING, moved_at__lte=timezone.now() - STOOD_STILL)
    for batch in still:
        _pause(batch, WAITED_TOO_LONG, (B.SENDING,))


def pause_unpermitted() -> None:
    """Whoever is answerable for a batch may have lost the permission, or left."""
    for batch in Batch.objects.filter(state=B.SENDING).select_related("answerable"):
        # A fresh object: permissions are remembered by the one that was asked.
        if not may_send(batch.answerable):
            _pause(batch, NOT_ALLOWED, (B.SENDING,))


def finish_completed() -> None:
    """Batches of which nothing waits any more and nothing is under way."""
    under_way = (S.SCHEDULED, S.HELD, S.QUEUED, S.CLAIMED, S.SENDING)
    left = Message.objects.filter(batch=OuterRef("pk"), state__in=under_way)
    over = Batch.objects.filter(~Exists(left), laid_out__gte=F("good"), started_at__isnull=False)
    BATCH_STATES.move(over, B.FINISHED, sources=(B.SENDING, B.PAUSED), ended_at=timezone.now())


def _pause(
    batch: Batch,
    reason: str,
    sources: tuple[BatchState, ...],
    values: Mapping[str, object] | None = None,
) -> None:
    BATCH_STATES.move(
        _row(batch),
        B.PAUSED,
        sources=sources,
        paused_at=timezone.now(),
        paused_by_id=None,
        reason=reason,
        values=dict(values or {}),
    )


def leftovers() -> list[Batch]:
    """Cancelled batches of which something still waits: their task was lost."""
    waiting = Message.objects.filter(
        batch=OuterRef("pk"), state__in=(S.QUEUED, S.HELD, S.SCHEDULED)
    )
    return list(Batch.objects.filter(Exists(waiting), state=B.CANCELLED))


def _row(batch: Batch) -> QuerySet[Batch]:
    return Batch.objects.filter(pk=batch.pk)


def prune() -> int:
    """Of batches that ended longer ago than calls are kept: the rows as they stood in the
    file, and what is left of the file. Their messages stay, and so do all figures."""
    limit = timezone.now() - timedelta(days=settings.JOURNAL_DAYS)
    over = {"batch__state__in": ENDED, "batch__ended_at__lt": limit}
    staged = delete_in_chunks(StagedRow.objects.filter(**over))
    return staged + delete_in_chunks(FilePart.objects.filter(**over))
