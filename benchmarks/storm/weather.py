"""The storm itself: work for the engine, kills, and the wait until everything has settled."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import F

from messaging.models import Message
from providers.engine import kick
from providers.engine.claims import ABANDONED_CALL
from providers.models import Account
from providers.sandbox.remote import Remote

from .. import portal
from ..clusters import Host, answer_after
from .batches import Fleet
from .plan import Kill, plan, strike

WIDTHS = (1, 2, 4, 8)
"""Calls in flight of the accounts."""
LIMITED = {"in_flight": 4, "per_second": 20, "per_minute": 1200}
"""One account more, whose claimed messages have to wait for their slots."""
WEIGHTS = (*WIDTHS, 1)
"""Parts of the messages that each account gets."""
FASTEST, MIDDLING, SLOWEST = 0.03, 0.055, 0.08
"""Seconds until the provider answers; chosen anew at each kill."""
AHEAD = 3
"""For how many kills there are messages in advance."""
WATCH_EVERY = 3.0
"""Seconds between two looks whether loops are missing; the portal's schedule has 60."""
TICK = 0.05
NONE_FOR = 15.0
"""Seconds; longer than it takes another loop to take over."""
STUCK = 300.0
"""Seconds without any change after which it will not drain by itself any more."""


def make_accounts(remote: Remote, url: str) -> list[Account]:
    """Each with a login of its own at the provider."""
    fields: list[dict[str, Any]] = [*({"in_flight": width} for width in WIDTHS), LIMITED]
    accounts = []
    for index, limits in enumerate(fields):
        login = {"api_id": f"STORM{index}", "api_password": "password"}
        remote.add_account("haorui", f"storm{index}", login["api_id"], login["api_password"])
        accounts.append(portal.make_account(url, credentials=login, **limits))
    return accounts


class Storm:
    """What is done, and what is known about it afterwards. Times are seconds since 1970."""

    def __init__(
        self,
        hosts: Sequence[Host],
        remote: Remote,
        accounts: Sequence[Account],
        messages: int,
        chance: random.Random,
    ) -> None:
        self.hosts = hosts
        self._remote = remote
        self.accounts = accounts
        self._messages = messages
        self._queued = 0
        self._fleet = Fleet(chance)
        self._chance = chance
        self._next_watch = 0.0
        self.kills: list[Kill] = []
        self.endings: list[Kill] = []
        """When a host killed what its cluster had left behind, which are kills as well."""
        self.started_at = time.time()
        self.drained_at: float | None = None
        """When nothing waited any more; rows of killed loops may still have been `sending`."""
        self.settled_at: float | None = None
        self.handed_over: dict[int, float] = {}
        """Message to when it was given to a thread, of those that were not answered."""

    def blow(self, kills: int) -> None:
        kick.start()
        for index, planned in enumerate(plan(self._chance, kills, self._messages)):
            # Never so few that all are sent before the kill comes.
            self._queue_up_to(self._messages * (index + AHEAD) // kills)
            self._let_go_out(planned.at_count)
            self._fleet.turn(cancelling=index == kills // 2)
            self._go_on_for(planned.delay)
            self._strike(planned.kind)
            answer_after(self._remote, self._chance.uniform(FASTEST, SLOWEST))
        self._queue_up_to(self._messages)
        self._fleet.go_on()

    def _queue_up_to(self, total: int) -> None:
        """Queue messages for accounts at random until there were so many: half of them one by
        one, half in batches."""
        more = min(total, self._messages) - self._queued
        chosen = Counter(self._chance.choices(range(len(WEIGHTS)), WEIGHTS, k=max(0, more)))
        for index, number in chosen.items():
            if self._chance.random() < 0.5:
                self._fleet.send(self.accounts[index], number)
            else:
                portal.queue_messages(self.accounts[index], number)
        self._queued += max(0, more)

    def _let_go_out(self, number: int) -> None:
        """Wait until so many messages have left the queue, or all but those of a paused batch."""
        if not self._wait_until(lambda: self._gone() >= number or not self._fleet.may_go_out()):
            raise RuntimeError(f"{self._gone()} went out, and then none for {STUCK:.0f} s")

    def _strike(self, kind: str) -> None:
        """As soon as there is such a process; another kind if there is none for long."""
        deadline = time.monotonic() + NONE_FOR
        while not (kill := strike(self._chance, kind, self.hosts)):
            self._go_on_for(TICK)
            if time.monotonic() > deadline:
                kind = "cluster"
        self.kills.append(kill)
        self._tell(kill)

    def calm_down(self, *, hurry: bool) -> None:
        """Wait until no message waits and none is under way."""
        if not self._wait_until(lambda: not _count("queued", "claimed")):
            return
        self.drained_at = time.time()
        self._note_what_is_under_way()
        if hurry:
            _let_time_pass(ABANDONED_CALL)
        if self._wait_until(lambda: not _count("queued", "claimed", "sending")):
            self.settled_at = time.time()

    # --- what goes on all the time --------------------------------------------------

    def _go_on_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            for host in self.hosts:
                if host.look_after():
                    self.endings.append(Kill("leftovers", host.name, time.time()))
            if time.monotonic() >= self._next_watch:
                self._next_watch = time.monotonic() + WATCH_EVERY
                kick.keep_running()
                self._fleet.tend()
            if time.monotonic() >= end:
                return
            time.sleep(min(TICK, max(0.0, end - time.monotonic())))

    def _wait_until(self, holds: Callable[[], bool]) -> bool:
        """False where nothing changed for so long that nothing will."""
        seen, changed_at = None, time.monotonic()
        while not holds():
            self._go_on_for(TICK)
            now = _count("queued", "claimed"), _count("sending")
            if now != seen:
                seen, changed_at = now, time.monotonic()
            elif time.monotonic() - changed_at > STUCK:
                return False
        return True

    def _gone(self) -> int:
        return self._queued - _count("queued", "claimed")

    def _tell(self, kill: Kill) -> None:
        after = kill.at - self.started_at
        number, gone = len(self.kills), self._gone()
        print(
            f"  {after:7.1f} s  kill {number:2}: {kill.kind} on {kill.host}, {gone} gone out",
            flush=True,
        )

    def _note_what_is_under_way(self) -> None:
        """Making rows older would hide which kill they belong to."""
        rows = Message.objects.filter(state__in=("sending", "unknown"))
        for pk, at in rows.values_list("pk", "handed_over_at"):
            if at is not None:
                self.handed_over[pk] = at.timestamp()


def _count(*states: str) -> int:
    return Message.objects.filter(state__in=states).count()


def _let_time_pass(span: timedelta) -> None:
    Message.objects.filter(state="sending").update(
        claimed_at=F("claimed_at") - span, handed_over_at=F("handed_over_at") - span
    )
