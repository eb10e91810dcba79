"""Put batches on hold, and decide what becomes of them.

A batch on hold neither starts nor continues, and its messages are not claimed. One that was sending
or scheduled is paused, so that a previous version beside this one leaves it alone, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, ClassVar, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.people import person_name
from core.punctuation import with_detail
from core.stored_texts import declare
from core.times import short_time
from providers import clock
from providers.engine.wake import wake_engine
from providers.hold.holdable import FROM_BEFORE, HeldGroup, Holdable, held_accounts
from providers.models import Hold

from .. import held_messages
from ..messages_on_hold import count_settled, settled_facts
from ..models import Batch, Message
from ..states import MESSAGE_STATES, MessageState
from . import lifecycle
from .fan_out import queue_fan_out
from .progress import progress_of
from .states import BATCH_STATES, ENDED, BatchState

B = BatchState
S = MessageState

UNFINISHED: Final = declare("held.batch", gettext_lazy("Batch: %(name)s"))
SCHEDULED: Final = declare("held.scheduled_batch", gettext_lazy("Scheduled: %(name)s"))
KEY: Final = "batch"
"""The key of a group is `batch:` and the id of the batch."""
GOES_ON: Final = (B.SENDING, B.SCHEDULED)
"""States in which messages are sent without a person."""


class BatchesOnHold(Holdable):
    name: ClassVar[str] = "batches"

    def hold(self, hold: Hold) -> int:
        waiting = Batch.objects.filter(account__in=held_accounts()).exclude(state__in=ENDED)
        # The lock waits for claims of their messages and keeps new ones from being made.
        locked = waiting.exclude(hold=hold).order_by("pk").select_for_update(of=("self",))
        pks = list(locked.values_list("pk", flat=True))
        batches = Batch.objects.filter(pk__in=pks)
        now = clock.now()
        paused: dict[str, Any] = {"reason": FROM_BEFORE, "values": {}, "paused_at": now}
        BATCH_STATES.move(batches, B.PAUSED, sources=GOES_ON, **paused, paused_by=None)
        batches.update(hold=hold)
        claimed = Message.objects.filter(batch__in=pks)
        free: dict[str, Any] = {"claim": None, "claimed_at": None}
        MESSAGE_STATES.move(claimed, S.QUEUED, sources=(S.CLAIMED,), **free)
        return len(pks)

    def groups(self, hold: Hold) -> list[HeldGroup]:
        kept = Batch.objects.filter(hold=hold).exclude(state=B.FINISHED)
        return [group_of(batch) for batch in kept.select_related("account", "answerable")]

    def count_undecided(self, hold: Hold) -> int:
        return sum(count_waiting(batch) for batch in _undecided(hold))

    def settle_known(self, hold: Hold) -> int:
        """Reports settle the messages of a batch as they come; nothing more can be known."""
        lifecycle.finish_completed()
        return 0

    def release(self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None) -> int:
        """Let a batch continue as before. Returns the number of messages that it will send.

        It is sent as a whole, so a choice of rows releases nothing.
        """
        batch = _find(hold, group)
        if batch is None or rows is not None:
            return 0
        count = count_waiting(batch)
        with transaction.atomic():
            return count if _let_go(batch) else 0

    def discard(
        self, hold: Hold, group: str, rows: Collection[int] | None, by: User | None, reason: str
    ) -> int:
        """Drop a batch, or end some of its messages as unknown. Returns the number of messages."""
        batch = _find(hold, group)
        if batch is None:
            return 0
        if rows is None:
            count = count_waiting(batch)
            return count if lifecycle.cancel(batch, by, held_by=hold) else 0
        chosen = Message.objects.filter(batch=batch, pk__in=rows)
        with transaction.atomic():
            # Waits for a release of the whole batch at the same moment, and then finds nothing.
            if not _undecided(hold).select_for_update(of=("self",)).filter(pk=batch.pk).exists():
                return 0
            held_messages.hold_rows(chosen, hold)
            return held_messages.give_up(chosen, by)


def _undecided(hold: Hold) -> QuerySet[Batch]:
    return Batch.objects.filter(hold=hold).exclude(state__in=ENDED).order_by("pk")


def _find(hold: Hold, group: str) -> Batch | None:
    pk = group.removeprefix(f"{KEY}:")
    return _undecided(hold).filter(pk=int(pk)).first() if pk.isdecimal() else None


def _let_go(batch: Batch) -> bool:
    """End the hold of a batch, and undo the pause that the hold made.

    Staff's own pause stays. A batch whose time has come in the meantime starts within a minute,
    if it then may (`lifecycle.start_due`).
    """
    on_hold = Batch.objects.filter(pk=batch.pk, hold=batch.hold_id)
    by_hold = on_hold.filter(reason=FROM_BEFORE)
    now = clock.now()
    released: dict[str, Any] = {"hold": None, "released_from": F("hold")}
    free = {**released, "reason": "", "values": {}, "paused_at": None}
    moved = BATCH_STATES.move(
        by_hold.filter(started_at=None),
        B.SCHEDULED,
        sources=(B.PAUSED,),
        scheduled_for=Greatest("scheduled_for", now),
        **free,
    )
    moved += BATCH_STATES.move(
        by_hold.exclude(started_at=None),
        B.SENDING,
        sources=(B.PAUSED,),
        moved_at=now,
        sampled_at=None,
        **free,
    )
    done = moved or on_hold.exclude(state__in=ENDED).update(**released)
    if done:
        queue_fan_out(batch)
        wake_engine()
    return bool(done)


def count_waiting(batch: Batch) -> int:
    """Messages that a decision is about; 1 if that is not known before the file was read."""
    if batch.state in ENDED:
        return 0
    if batch.started_at is None:
        return max(1, batch.good)
    return max(1, progress_of(batch).waiting)


# --- what the page says ------------------------------------------------------


def group_of(batch: Batch) -> HeldGroup:
    return HeldGroup(
        key=f"{KEY}:{batch.pk}",
        icon="calendar_clock" if _is_scheduled(batch) else "stacks",
        stored_title=(SCHEDULED if _is_scheduled(batch) else UNFINISHED).store(name=str(batch)),
        account=with_detail(batch.account.name, person_name(batch.answerable or batch.created_by)),
        undecided=count_waiting(batch),
        oldest=batch.started_at or batch.created_at,
        newest=batch.started_at or batch.created_at,
        facts=list(_facts(batch)),
        settled=count_settled(Message.objects.filter(batch=batch)),
        url=reverse("admin:messaging_batch_change", args=[batch.public_id]),
    )


def _is_scheduled(batch: Batch) -> bool:
    return batch.started_at is None and batch.scheduled_for is not None


def _facts(batch: Batch) -> Iterator[str | Promise]:
    yield from settled_facts(Message.objects.filter(batch=batch))
    if batch.state in ENDED:
        return
    if _is_scheduled(batch) and batch.scheduled_for:
        time = short_time(batch.scheduled_for)
        yield _("Scheduled for %(time)s.") % {"time": time}
        yield _("It may have been started before the hold.")
    elif batch.started_at is None:
        yield _("Checked, not started. It may have been started before the hold.")
    else:
        count = f"{count_waiting(batch):,}"
        yield _("Waiting: %(count)s. They may have been sent before the hold.") % {"count": count}
    if batch.state == B.PAUSED and batch.reason != FROM_BEFORE:
        yield _("It was paused and stays paused after release.")
