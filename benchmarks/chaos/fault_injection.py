"""A run: work for the engine, kills, and the wait until everything has settled."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.db.models import F

from providers.engine import wake
from providers.engine.claims import ABANDONED_CALL
from providers.engine.heartbeats import LOOP_TIMEOUT
from providers.models import Heartbeat
from rentals.engine import list_sync_source
from rentals.models import Reading
from sandbox.remote import Remote

from .. import portal
from ..clusters import Host
from . import calls
from .accounts import COMPLETE_DELAY, SLOWEST, WEIGHTS, Accounts, change_delays
from .batches import Batches
from .calls import CALL_KINDS
from .codes import Codes
from .orders import Orders, still_pending
from .plan import Kill, Planned, plan, strike
from .sandbox_book import SandboxBook

WATCH_EVERY = 3.0
"""Seconds between two looks whether loops are missing; the portal's schedule has 60."""
READ_EVERY = 1.0
"""Seconds between two readings of the sandbox's book."""
TICK = 0.05
NONE_FOR = 15.0
"""Seconds; longer than it takes another loop to take over."""
LISTS = (Reading.Kind.ORDERS, Reading.Kind.TRANSACTIONS)
STUCK = 300.0
"""Seconds without any change after which it will not settle by itself any more."""


@dataclass(frozen=True)
class Wave:
    """What is given to the engine before each kill."""

    texts: int
    """About half of them one by one, half in batches."""
    codes: int
    """Over each provider that sends codes."""
    checks: int
    orders: int
    """Over each account that rents numbers."""
    cancels: int


def wave_of(texts: int) -> Wave:
    others = max(6, texts // 10)
    return Wave(texts, codes=others, checks=others, orders=others // 2 + 1, cancels=others // 2 + 1)


class Chaos:
    """What is done, and what is known about it afterwards. Times are seconds since 1970."""

    def __init__(
        self, hosts: Sequence[Host], remote: Remote, accounts: Accounts, seed: int
    ) -> None:
        self.hosts = hosts
        self.accounts = accounts
        self.book = SandboxBook(remote)
        self._remote = remote
        self._seed = seed
        self._chance = chance = random.Random(f"work {seed}")
        by = User.objects.create_superuser("chaos")
        self.codes = Codes(by, self.book, chance)
        self._batches = Batches(by, chance)
        self._orders = Orders(by, chance)
        self._next_watch = self._next_reading = 0.0
        self.kills: list[Kill] = []
        self.endings: list[Kill] = []
        """When a host killed what its cluster had left behind, which are kills as well."""
        self.under_way: Counter[str] = Counter()
        """By kind of call: how many kills found at least one call of it under way."""
        self.started_at = time.time()
        self.drained_at: float | None = None
        """When nothing waited any more; calls of killed loops may still be open."""
        self.settled_at: float | None = None
        self.books_read = False
        """Whether the portal has read the provider's transactions to their end."""
        self.handed_over: dict[tuple[str, int], float] = {}
        """Kind and row to when it was handed over, where `hurry` made that older."""

    def run(self, kills: int, wave: Wave) -> None:
        change_delays(self._remote, self._chance)
        wake.start_loops()
        # Sessions and orders for the first kill to check and to cancel.
        self._give(Wave(0, codes=wave.codes, checks=0, orders=wave.orders, cancels=0))
        self._wait_until(lambda: not calls.in_flight() and not calls.waiting())
        for index, planned in enumerate(plan(random.Random(f"kills {self._seed}"), kills)):
            self._batches.disturb(cancelling=index == kills // 2)
            self._give(wave)
            if not planned.hasty:
                self._wait_for_calls()
            self._go_on_for(planned.delay)
            self._strike(planned)
            change_delays(self._remote, self._chance)
        self._batches.resume()

    def settle(self, *, hurry: bool) -> None:
        """Wait until no row waits, none is under way, and no order can still change."""
        if hurry:
            # Calls of loops that live have come back by then.
            self._go_on_for(3 * SLOWEST)
            self._let_time_pass()
        if not self._wait_until(lambda: not calls.waiting(), ending=True):
            return
        self.drained_at = time.time()
        if hurry:
            # What a host killed since, because its cluster had ended.
            self._let_time_pass()
        self._remote.clear_faults()
        if self._wait_until(self._is_settled, ending=True):
            self.settled_at = time.time()
            self._read_transactions()
        self.book.read()

    # --- work ------------------------------------------------------------------------

    def _give(self, wave: Wave) -> None:
        self.book.read()
        chosen = Counter(self._chance.choices(range(len(WEIGHTS)), WEIGHTS, k=wave.texts))
        for index, number in chosen.items():
            if self._chance.random() < 0.5:
                self._batches.send(self.accounts.haorui[index], number)
            else:
                portal.queue_messages(self.accounts.haorui[index], number)
        for accounts in (self.accounts.haorui, self.accounts.haosms, self.accounts.otpservice):
            self.codes.send(self._chance.choice(accounts), wave.codes)
        self.codes.check(wave.checks)
        for account in self.accounts.gosms:
            self._orders.place(account, wave.orders)
        self._orders.cancel(wave.cancels)

    # --- kills -----------------------------------------------------------------------

    def _wait_for_calls(self) -> None:
        """Until calls of every kind are under way at once, or those missing have none left."""
        since = self.kills[-1].at if self.kills else 0.0
        deadline = time.monotonic() + NONE_FOR
        while time.monotonic() < deadline:
            if all(
                kind.taken_up(since).exists() or not kind.queued().exists() for kind in CALL_KINDS
            ):
                return
            self._go_on_for(TICK / 5)

    def _strike(self, planned: Planned) -> None:
        """As soon as there is such a process; the whole cluster if there is none for long."""
        before, kind = (self.kills[-1].at if self.kills else 0.0), planned.kind
        deadline = time.monotonic() + NONE_FOR
        while not (kill := strike(planned, kind, self.hosts)):
            self._go_on_for(TICK)
            if time.monotonic() > deadline:
                kind = "cluster"
        self.kills.append(kill)
        going = {one.name: one.in_flight(before).count() for one in CALL_KINDS}
        self.under_way.update(name for name, number in going.items() if number)
        self._tell(kill, going)

    def _tell(self, kill: Kill, going: dict[str, int]) -> None:
        words = ", ".join(f"{name} {number}" for name, number in going.items() if number)
        print(
            f"  {kill.at - self.started_at:7.1f} s  kill {len(self.kills):2}: {kill.kind} on"
            f" {kill.host}; under way: {words or 'nothing'}",
            flush=True,
        )

    # --- what goes on all the time -----------------------------------------------------

    def _go_on_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            for host in self.hosts:
                if host.look_after():
                    self.endings.append(Kill("leftovers", host.name, time.time()))
            now = time.monotonic()
            if now >= self._next_watch:
                self._next_watch = now + WATCH_EVERY
                wake.keep_running()
                self._batches.tend()
            if now >= self._next_reading:
                self._next_reading = now + READ_EVERY
                self.book.read()
            if time.monotonic() >= end:
                return
            time.sleep(min(TICK, max(0.0, end - time.monotonic())))

    def _wait_until(self, holds: Callable[[], bool], *, ending: bool = False) -> bool:
        """False where nothing changed for so long that nothing will. `ending`: orders that
        never get an SMS are cancelled meanwhile."""
        seen, changed_at = None, time.monotonic()
        while not holds():
            if ending:
                self._orders.cancel_rest()
            self._go_on_for(TICK)
            now = calls.waiting(), calls.in_flight(), still_pending()
            if now != seen:
                seen, changed_at = now, time.monotonic()
            elif time.monotonic() - changed_at > STUCK:
                return False
        return True

    # --- the end ---------------------------------------------------------------------

    def _is_settled(self) -> bool:
        return not calls.waiting() and not calls.in_flight() and not still_pending()

    def _let_time_pass(self) -> None:
        """What killed loops left, and their last signs of life, become two minutes older."""
        for kind in CALL_KINDS:
            for pk, _, at in kind.hand_overs(lost_only=False):
                # That would hide which kill they belong to.
                self.handed_over.setdefault((kind.name, pk), at)
        before = datetime.fromtimestamp(max(one.at for one in [*self.kills, *self.endings]), UTC)
        for kind in CALL_KINDS:
            kind.in_flight().filter(handed_over_at__lt=before).update(
                claimed_at=F("claimed_at") - ABANDONED_CALL,
                handed_over_at=F("handed_over_at") - ABANDONED_CALL,
            )
        loops = Heartbeat.objects.filter(name__startswith="loop:", beat_at__lt=before)
        loops.update(beat_at=F("beat_at") - LOOP_TIMEOUT)

    def _read_transactions(self) -> None:
        """All of them, for the ledger check; the daily schedule asks for the same. An order
        that is found in the provider's list meanwhile has to end first."""
        while self._wait_until(lambda: self._is_settled() and not _open_readings(), ending=True):
            self._go_on_for(COMPLETE_DELAY)
            kind = Reading.Kind.TRANSACTIONS
            asked = [
                list_sync_source.request_reading(account, kind, whole=True).pk
                for account in self.accounts.gosms
            ]
            if not self._wait_until(lambda: not _open_readings()):
                return
            if self._is_settled():
                done = Reading.objects.filter(pk__in=asked, state="done", complete=True)
                self.books_read = done.count() == len(asked)
                return


def _open_readings() -> bool:
    return Reading.objects.filter(state__in=("queued", "claimed"), kind__in=LISTS).exists()
