"""Put back a backup in the middle of a run, and decide about what the portal then holds."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator

from django.core.management import get_commands
from django.db import connections

from messaging.batches import create
from messaging.models import Batch, Message
from messaging.states import MessageState
from providers.models import Hold
from rentals.models import Order
from rentals.states import OrderState

from .past import Past
from .run import Soak
from .stores import PostgreSQLStore
from .workload import TEXT
from .world import when_possible

BATCH = 250
"""Messages of the batch that is under way when the backup is taken."""
AFTERWARDS = 30.0
"""The least seconds of work between the backup and its return."""
HOLD_WITHIN = 300.0
"""Seconds until the hold must be there."""
WORK_DURING_HOLD = 15.0
DECIDED_WITHIN = 300.0
BETWEEN_DECISIONS = 2.0
GROUP = re.compile(r"^(\S+): ", re.MULTILINE)
MAY_HAVE_WAITED = frozenset(
    {MessageState.HELD, MessageState.QUEUED, MessageState.CLAIMED, MessageState.SCHEDULED}
)
REASON = "Restored during a soak run."


class Restore:
    """The only restore of a run: first `back_up`, later `put_back`."""

    def __init__(self, soak: Soak, chance: random.Random) -> None:
        self._soak = soak
        self._chance = chance
        self.past: Past | None = None

    @staticmethod
    def missing() -> str:
        """Why no restore is possible; empty if it is."""
        return "" if "release" in get_commands() else "not available"

    def back_up(self) -> str:
        """Copy the database while a batch is being sent."""
        soak = self._soak
        batch = self._submit_batch()
        # The hosts read the file and staff start the batch, as any other.
        sending = soak.wait_for(lambda: when_possible(lambda: _is_sending(batch), False))
        soak.run_for(self._chance.uniform(0.5, 3))
        at = time.time()
        soak.world.store.back_up()
        self.past = Past(backed_up_at=at)
        return f"backup{'' if sending else ', and no batch was being sent'}"

    def _submit_batch(self) -> Batch:
        draft = create.BatchDraft(
            account=self._chance.choice(self._soak.accounts.haorui),
            text=TEXT,
            sms_kind="T",
            sender_id="BENCH",
            content=["\n".join(f"138{index:08}" for index in range(BATCH)).encode()],
        )
        batch, _ = create.create_batch(draft, by=self._soak.by, form_token="soak-batch")
        return batch

    def put_back(self) -> str:
        """Restore the backup, and decide about what the portal then holds.

        The hosts are stopped meanwhile. On PostgreSQL, they may also continue, as when an
        administrator runs pg_restore and forgets them.
        """
        past, soak = self.past, self._soak
        assert past is not None
        soak.run_for(max(0.0, past.backed_up_at + AFTERWARDS - time.time()))
        forgotten = isinstance(soak.world.store, PostgreSQLStore) and self._chance.random() < 0.5
        how = "restore under running hosts" if forgotten else "restore"
        soak.restoring = True
        try:
            return f"{how}; {self._restore_and_decide(past, stopping=not forgotten)}"
        finally:
            soak.restoring = False

    def _restore_and_decide(self, past: Past, *, stopping: bool) -> str:
        soak = self._soak
        waiting = self._restore(past, stopping=stopping)
        if not soak.wait_for(lambda: when_possible(_is_held, False), HOLD_WITHIN):
            if waiting:
                soak.problems.append(f"no hold came up, although {waiting} rows waited")
            return f"{waiting} rows waited, no hold"
        soak.run_for(WORK_DURING_HOLD)
        return f"{waiting} rows waited; {self._decide(past)}"

    def _restore(self, past: Past, *, stopping: bool) -> int:
        """Returns how many rows waited in the backup."""
        soak = self._soak
        hosts = list(soak.world.hosts)
        if stopping:
            soak.world.stop(hosts)
        connections.close_all()
        soak.world.store.restore()
        past.restored_at = time.time()
        waiting = len(set(_references(held_only=False)))
        if stopping:
            for host in hosts:
                host.start()
            soak.wait_for(lambda: all(host.is_ready() for host in hosts))
        return waiting

    def _decide(self, past: Past) -> str:
        """Release some groups and discard the others."""
        soak = self._soak
        listed = self._release("--list")
        keys = GROUP.findall(listed)
        sent = [key for key in keys if self._chance.random() < 0.5] or keys[:1]
        before = _held()
        groups = [word for key in sent for word in ("--group", key)]
        self._release(*groups, "--reason", REASON)
        past.released = before - _held()
        past.discarded = len(before) - len(past.released)
        answer = self._discard_rest()
        if when_possible(_is_held, True):
            soak.problems.append(f"the hold did not end: {answer}")
        return f"{len(past.released)} released in {len(sent)} of {len(keys)} groups, rest discarded"

    def _discard_rest(self) -> str:
        """Discard until nothing is on hold. Returns the last answer.

        The portal refuses a decision if something was settled since it showed what is on hold.
        """
        deadline, answer = time.monotonic() + DECIDED_WITHIN, ""
        while when_possible(_is_held, True) and time.monotonic() < deadline:
            answer = self._release("--all", "--discard", "--reason", REASON)
            self._soak.run_for(BETWEEN_DECISIONS)
        return answer[-500:]

    def _release(self, *words: str) -> str:
        soak = self._soak
        return soak.world.hosts[0].manage("release", *words, wait=soak.run_for)


def _is_sending(batch: Batch) -> bool:
    return Message.objects.filter(batch=batch, state=MessageState.SUBMITTED).exists()


def _is_held() -> bool:
    return Hold.objects.filter(ended_at=None).exists()


def _held() -> set[str]:
    """References, numbers and pairs of the rows that wait for a decision."""
    return set(_references(held_only=True))


def _references(*, held_only: bool) -> Iterator[str]:
    """References, numbers and pairs of the rows that wait for a call."""
    messages = Message.objects.filter(state__in=MAY_HAVE_WAITED).select_related("account", "batch")
    for row in messages.defer("text"):
        held = row.hold_id or (row.batch is not None and row.batch.hold_id)
        if held or not held_only:
            yield row.recipient if row.account.provider == "haosms" else row.reference
    orders = Order.objects.filter(
        state__in=(OrderState.HELD, OrderState.QUEUED, OrderState.CLAIMED)
    ).select_related("account")
    for order in orders:
        if order.hold_id or not held_only:
            yield f"{order.account.name} {order.project} {order.region}"
