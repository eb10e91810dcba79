"""A run: work and faults for some minutes, and the wait until everything is settled."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.contrib.auth.models import User

from messaging.batches.states import CHANGING
from messaging.models import Batch
from providers import accounts as account_actions
from providers.models import Account, Callback
from sandbox.remote import RemoteError

from ..chaos import calls
from ..chaos.accounts import Accounts
from ..chaos.orders import Orders, still_pending
from ..chaos.transactions import read_transactions
from .faults import NOTHING, Planned
from .provider_faults import ProviderFaults
from .samples import Memory
from .soak_book import SoakBook
from .staff import Staff
from .workload import Workload
from .world import World, when_possible

TICK = 0.1
READ_EVERY = 1.0
TEND_EVERY = 2.0
SAMPLE_EVERY = 10.0
PRINT_EVERY = 60.0
STARTS_WITHIN = 300.0
STUCK_AFTER = 300.0
"""Seconds without any change after which a run counts as stuck."""


@dataclass
class Struck:
    """A fault that struck. Times are in seconds since 1970."""

    name: str
    words: str
    began_at: float
    ended_at: float


@dataclass(frozen=True)
class Staged:
    """Something that happens once, after this share of a run."""

    name: str
    share: float
    act: Callable[[], str]


@dataclass
class Every:
    """Whether some seconds have passed since it last returned true."""

    seconds: float
    at: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        now = time.monotonic()
        if now < self.at:
            return False
        self.at = now + self.seconds
        return True


class Soak:
    """One run and its record."""

    def __init__(
        self, world: World, accounts: Accounts, by: User, *, seed: int, rate: float
    ) -> None:
        self.world = world
        self.accounts = accounts
        self.by = by
        self.book = SoakBook(world.remote)
        self.staff = Staff(by, world.hosts)
        self.memory = Memory()
        self.struck: list[Struck] = []
        self.endings: Counter[str] = Counter()
        """How often each host's portal ended and was started again."""
        self.pauses: Counter[str] = Counter()
        """Why accounts were paused, which a manager ended."""
        self.problems: list[str] = []
        """Violations that showed during the run."""
        self.settled = self.books_read = False
        self.restoring = False
        """Whether staff leave the batches alone, since a restore takes them back."""
        self.started_at = time.time()
        chance = random.Random(f"work {seed}")
        self.workload = Workload(self.staff, accounts, by, self.book, chance)
        self.provider_faults = ProviderFaults(world.remote, seed)
        self._orders = Orders(by, chance)
        self._chance = chance
        self._rate = rate
        self._working = False
        self._next_work = 0.0
        self._every = {
            name: Every(seconds)
            for name, seconds in (
                ("read", READ_EVERY),
                ("tend", TEND_EVERY),
                ("sample", SAMPLE_EVERY),
                ("print", PRINT_EVERY),
            )
        }
        world.run_for = self.run_for

    def start(self) -> bool:
        """Start the hosts. Returns whether all came up."""
        for host in self.world.hosts:
            host.start()
        return self.wait_for(lambda: all(host.is_ready() for host in self.world.hosts))

    def run(self, until: float, planned: Iterator[Planned], staged: Sequence[Staged]) -> None:
        """Work until this moment of the monotonic clock, with faults meanwhile.

        `staged`: what happens once, at its share of the time.
        """
        self._working = True
        began = self._next_work = time.monotonic()
        waiting = list(staged)
        for one in planned:
            self.run_for(min(one.gap, max(0.0, until - time.monotonic())))
            if waiting and time.monotonic() >= began + waiting[0].share * (until - began):
                stage = waiting.pop(0)
                self.strike(stage.name, stage.act)
            if time.monotonic() >= until:
                break
            if one.fault is not NOTHING:
                act = partial(one.fault.strike, self.world, random.Random(one.seed))
                self.strike(one.fault.name, act)
        # A short run on a busy machine, or one whose restore took rows back, may lack a kind.
        self.wait_for(lambda: when_possible(lambda: not self.kinds_not_called(), False))
        self._working = False

    def strike(self, name: str, act: Callable[[], str]) -> None:
        began_at = time.time()
        words = act()
        self.struck.append(Struck(name, words, began_at, time.time()))
        print(f"  {began_at - self.started_at:7.1f} s  {words}", flush=True)

    # --- running ---------------------------------------------------------------------

    def run_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            self._tick()
            if time.monotonic() >= end:
                return
            time.sleep(min(TICK, max(0.0, end - time.monotonic())))

    def _tick(self) -> None:
        for host in self.world.hosts:
            if host.supervise():
                self.endings[host.name] += 1
        if self._every["read"].is_due():
            self.read_book()
        if self._every["tend"].is_due():
            when_possible(self._tend, None)
        if self._every["sample"].is_due():
            self.memory.take(self.world.hosts)
        if self._every["print"].is_due():
            self._print_line()
        if self._working:
            self.provider_faults.tick()
            self._work()

    def read_book(self) -> None:
        try:
            self.book.read()
        except RemoteError:
            return

    def _work(self) -> None:
        now = time.monotonic()
        # After a wait that blocked this process, the missed work is not made up for.
        self._next_work = max(self._next_work, now - 1.0)
        while self._next_work <= now:
            self._next_work += self._chance.expovariate(self._rate)
            when_possible(self.workload.begin_one, None)

    def _tend(self) -> None:
        """Do what a manager would: resume accounts, start batches that were read."""
        for account in Account.objects.exclude(paused_at=None):
            self.pauses[f"{account.name}: {account.pause_reason}"] += 1
            account_actions.resume(account)
        if not self.restoring:
            self.workload.tend_batches()

    def _print_line(self) -> None:
        def count() -> str:
            found = {kind.name: kind.waiting().count() for kind in calls.CALL_KINDS}
            return (
                f"waiting {sum(found.values())}, in flight {calls.in_flight()},"
                f" unknown {unknown_calls()}, callbacks {Callback.objects.count()}"
            )

        minutes = (time.time() - self.started_at) / 60
        sent = sum(sum(one.values()) for one in self.book.sent.values())
        print(
            f"  {minutes:4.0f} min: forms {len(self.staff.forms)}, taken"
            f" {len(self.staff.taken())}; calls carried out {sent};"
            f" {when_possible(count, 'the database does not answer')};"
            f" {len(self.struck)} faults; highest memory {self.memory.highest()}",
            flush=True,
        )

    # --- the end ---------------------------------------------------------------------

    def settle(self) -> None:
        """Wait until nothing waits, is in flight or can still change."""
        self.provider_faults.stop()
        self.wait_for(self.staff.is_idle)
        self.settled = self._wait_until(self._is_settled)
        if self.settled:
            self.books_read = self._read_transactions()
        self.staff.stop()
        self.read_book()

    def _read_transactions(self) -> bool:
        return read_transactions(
            self.accounts.gosms,
            is_settled=self._is_settled,
            run_for=self.run_for,
            wait_until=self._wait_until,
        )

    def _is_settled(self) -> bool:
        return not any(self.open_work().values())

    @staticmethod
    def kinds_not_called() -> list[str]:
        """The kinds of call of which no row left the queue."""
        return [
            kind.name
            for kind in calls.CALL_KINDS
            if not kind.rows().filter(handed_over_at__isnull=False).exists()
        ]

    def open_work(self) -> dict[str, int]:
        """What can still change, by kind."""
        return {
            "waiting": calls.waiting(),
            "in flight": calls.in_flight(),
            "pending orders": still_pending(),
            "open batches": Batch.objects.filter(state__in=sorted(CHANGING)).count(),
            "callbacks": Callback.objects.filter(state=Callback.State.RECEIVED).count(),
        }

    def _wait_until(self, holds: Callable[[], bool]) -> bool:
        """Run until the condition holds. Returns False if nothing changes for STUCK_AFTER."""
        seen: dict[str, int] = {}
        changed_at = time.monotonic()
        while not when_possible(holds, False):
            when_possible(self._orders.cancel_rest, None)
            self.run_for(1.0)
            now = when_possible(self.open_work, seen)
            if now != seen:
                seen, changed_at = now, time.monotonic()
            elif time.monotonic() - changed_at > STUCK_AFTER:
                print(f"  stuck: {seen}", flush=True)
                return False
        return True

    def wait_for(self, holds: Callable[[], bool], seconds: float = STARTS_WITHIN) -> bool:
        """Run until the condition holds, for this long at most. Returns whether it holds."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                return False
            self.run_for(0.5)
        return True


def unknown_calls() -> int:
    return sum(
        kind.rows().filter(state__in=("unknown", "unclear")).count() for kind in calls.CALL_KINDS
    )
