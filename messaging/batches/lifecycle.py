"""Start, schedule, pause, resume, cancel and finish batches.

Every change is a conditional move, so only one of two concurrent requests takes effect. A start
records that the batch may be sent; a queued task then creates its messages (`fan_out`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from providers import clock, daily_limits
from providers.approvals import requests
from providers.approvals.rules import ApprovalNeeded
from providers.engine.wake import wake_engine
from providers.models import DailyLimit, Hold

from ..models import Batch, FilePart, Message
from ..states import MessageState
from . import cancelled_rest, notices, proposals
from .fan_out import queue_fan_out
from .states import BATCH_STATES, BatchState

B = BatchState
S = MessageState

PERMISSION: Final = "messaging.bulk_message"
STALLED_AFTER: Final = timedelta(hours=24)
"""A batch that has sent nothing for this long needs a person to resume it."""
WAITED_TOO_LONG: Final = "waited_too_long"
NOT_ALLOWED: Final = "not_allowed"
LIMIT_REACHED: Final = "limit_reached"
MANY_FAILED: Final = "many_failed"
APPROVAL_NEEDED: Final = "approval_needed"


def may_send(user: User | None) -> bool:
    return user is not None and user.is_active and user.has_perm(PERMISSION)


def accept_warnings(batch: Batch, ticked: Collection[str]) -> bool:
    """Record that staff confirmed what is unusual about the file, as `batch` shows it.

    Returns False if a warning was not ticked or the batch was read again since it was loaded.
    """
    if not {one["id"] for one in batch.warnings} <= set(ticked):
        return False
    row = _rows(batch).filter(state=B.READY, check_run=batch.check_run)
    return bool(row.update(accepted_run=batch.check_run))


def start(batch: Batch, by: User) -> bool:
    """Start sending now.

    The whole batch counts against the daily limits at its start. Returns False if the batch is
    no longer ready, was rechecked since `batch` was loaded, has an unconfirmed
    warning, or is on hold. Raises `LimitReached`, or `ApprovalNeeded` if a second person must
    agree first, and then changes nothing.
    """
    return _start(batch, by, (B.READY,))


def schedule(batch: Batch, by: User, at: datetime) -> bool:
    """Start automatically at `at`; the daily limits are checked then, not now.

    Returns False for the same reasons as `start`, and raises `ApprovalNeeded` as it does.
    """
    changes: dict[str, Any] = {"scheduled_for": at, "answerable_id": by.pk}
    with transaction.atomic():
        proposals.check_start(batch, by, at)
        row = proposals.startable(batch)
        return bool(BATCH_STATES.move(row, B.SCHEDULED, reason="", values={}, **changes))


def unschedule(batch: Batch) -> bool:
    return bool(
        BATCH_STATES.move(_rows(batch), B.READY, sources=(B.SCHEDULED,), scheduled_for=None)
    )


def start_due() -> int:
    """Start the scheduled batches that are due.

    A batch that may not start is paused with the reason and waits for a person.
    """
    now = clock.now()
    if not clock.is_settled():
        # A batch that starts an hour early cannot be recalled.
        return 0
    started = 0
    due = Batch.objects.filter(state=B.SCHEDULED, hold=None, scheduled_for__lte=now)
    for batch in due.select_related("account", "answerable"):
        by = batch.answerable
        if by is None or not may_send(by):
            _pause(batch, NOT_ALLOWED, (B.SCHEDULED,))
            continue
        if batch.scheduled_for and now - batch.scheduled_for > STALLED_AFTER:
            _pause(batch, WAITED_TOO_LONG, (B.SCHEDULED,))
            continue
        try:
            started += _start(batch, by, (B.SCHEDULED,))
        except daily_limits.LimitReached as limit:
            values = {"used": limit.used, "most": limit.cap.most}
            _pause(batch, LIMIT_REACHED, (B.SCHEDULED,), values)
        except ApprovalNeeded:
            _pause(batch, APPROVAL_NEEDED, (B.SCHEDULED,))
    return started


def _start(batch: Batch, by: User, sources: tuple[BatchState, ...]) -> bool:
    now = clock.now()
    with transaction.atomic():
        proposals.check_start(batch, by, batch.scheduled_for if B.SCHEDULED in sources else None)
        caps = daily_limits.caps_of(batch.account, by, DailyLimit.What.MESSAGES)
        moved = BATCH_STATES.move(
            # A second start would count against the daily limits again.
            proposals.startable(batch),
            B.SENDING,
            sources=sources,
            answerable_id=by.pk,
            started_at=now,
            moved_at=now,
            paused_at=None,
            paused_by_id=None,
            reserved=[cap.name for cap in caps],
            sample=None,
            reason="",
            values={},
        )
        if not moved:
            return False
        daily_limits.take(caps, batch.good)
        # The rows are staged: the file is no longer needed, and holds more data than they do.
        FilePart.objects.filter(batch=batch).delete()
        queue_fan_out(batch)
        wake_engine()
    return True


def pause(batch: Batch, by: User) -> bool:
    """Stop sending; calls that are already under way complete."""
    return _move_to_pause(batch, (B.SENDING,), by)


def resume(batch: Batch, by: User) -> bool:
    """Continue a paused batch and make `by` answerable for it. False if it is on hold.

    A batch that was paused before its start is started; only then can this raise `LimitReached`
    or `ApprovalNeeded`.
    """
    if batch.started_at is None:
        return _start(batch, by, (B.PAUSED,))
    moved = BATCH_STATES.move(
        _free(batch),
        B.SENDING,
        sources=(B.PAUSED,),
        answerable_id=by.pk,
        moved_at=clock.now(),
        sampled_at=None,
        # Staff know why it was paused, so it is not paused for its first messages again.
        failures_accepted_at=(
            clock.now() if batch.reason == MANY_FAILED else batch.failures_accepted_at
        ),
        paused_at=None,
        paused_by_id=None,
        reason="",
        values={},
    )
    queue_fan_out(batch)
    wake_engine()
    return bool(moved)


def cancel(batch: Batch, by: User | None, *, held_by: Hold | None = None) -> bool:
    """Stop the batch permanently and return what was not sent to the daily limits.

    A queued task ends the waiting messages (`cancelled_rest`); the engine claims none of them
    meanwhile. Messages that were sent cannot be recalled. `by`: None for the administrator's
    command line. `held_by`: cancel it only if this hold keeps it.
    """
    rows = _rows(batch).filter(hold=held_by) if held_by else _rows(batch)
    asked = [proposals.subject_of(batch)]
    with transaction.atomic():
        requests.lock_waiting(asked)
        moved = BATCH_STATES.move(
            rows,
            B.CANCELLED,
            ended_at=clock.now(),
            ended_by_id=by.pk if by else None,
            sample=None,
        )
        if moved:
            FilePart.objects.filter(batch=batch).delete()
            requests.end_with(asked, requests.ENDED, by)
            cancelled_rest.begin(_rows(batch).get())
            notices.tell_cancelled_by(batch, by)
    return bool(moved)


# --- automatic changes -------------------------------------------------------


def record_movement(batch: Batch, now: datetime) -> None:
    """Record that the batch is sending; writes at most once a minute."""
    if batch.moved_at is None or now - batch.moved_at > timedelta(minutes=1):
        _rows(batch).update(moved_at=now)


def pause_stalled() -> None:
    still = Batch.objects.filter(state=B.SENDING, moved_at__lte=clock.now() - STALLED_AFTER)
    for batch in still:
        _pause(batch, WAITED_TOO_LONG, (B.SENDING,))


def pause_unpermitted() -> None:
    """Pause batches whose answerable user lost the permission or is no longer active."""
    for batch in Batch.objects.filter(state=B.SENDING).select_related("answerable"):
        # Each user object caches its permissions, so this needs a freshly loaded one.
        if not may_send(batch.answerable):
            _pause(batch, NOT_ALLOWED, (B.SENDING,))


def finish_completed() -> None:
    """Finish the batches that have no message waiting or under way."""
    under_way = (S.SCHEDULED, S.HELD, S.QUEUED, S.CLAIMED, S.SENDING)
    unfinished = Message.objects.filter(batch=OuterRef("pk"), state__in=under_way)
    completed = Batch.objects.filter(
        ~Exists(unfinished), laid_out__gte=F("good"), started_at__isnull=False
    )
    now = clock.now()
    with transaction.atomic():
        if BATCH_STATES.move(completed, B.FINISHED, sources=(B.SENDING, B.PAUSED), ended_at=now):
            for batch in Batch.objects.filter(state=B.FINISHED, ended_at=now):
                notices.tell_finished(batch)


def pause_by_portal(batch: Batch, reason: str, values: Mapping[str, object]) -> bool:
    """Pause a running batch for a reason that is registered. False if it no longer runs."""
    return _pause(batch, reason, (B.SENDING,), values)


def _pause(
    batch: Batch,
    reason: str,
    sources: tuple[BatchState, ...],
    values: Mapping[str, object] | None = None,
) -> bool:
    return _move_to_pause(batch, sources, None, reason, values)


def _move_to_pause(
    batch: Batch,
    sources: tuple[BatchState, ...],
    by: User | None,
    reason: str = "",
    values: Mapping[str, object] | None = None,
) -> bool:
    """Pause it and tell whoever started it. `by`: None if the portal does it."""
    with transaction.atomic():
        moved = BATCH_STATES.move(
            _rows(batch),
            B.PAUSED,
            sources=sources,
            paused_at=clock.now(),
            paused_by_id=by.pk if by else None,
            reason=reason,
            values=dict(values or {}),
        )
        if moved and by is None:
            notices.tell_paused(batch)
        elif moved and by is not None:
            notices.tell_paused_by(batch, by)
    return bool(moved)


def _rows(batch: Batch) -> QuerySet[Batch]:
    return Batch.objects.filter(pk=batch.pk)


def _free(batch: Batch) -> QuerySet[Batch]:
    """The batch, unless it is on hold."""
    return Batch.objects.filter(pk=batch.pk, hold=None)
