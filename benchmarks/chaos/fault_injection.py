"""A run: work for the engine, kills, and the wait until everything is settled."""

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
"""Seconds between two checks for missing loops. The portal's schedule has 60."""
READ_EVERY = 1.0
"""Seconds between two readings of the sandbox's book."""
TICK = 0.05
TARGET_TIMEOUT = 15.0
"""Seconds to wait for calls or a process to kill; longer than a take-over by another loop."""
LISTS = (Reading.Kind.ORDERS, Reading.Kind.TRANSACTIONS)
STUCK_AFTER = 300.0
"""Seconds without any change after which the run counts as stuck."""


@dataclass(frozen=True)
class Wave:
    """The work that the engine gets before each kill."""

    texts: int
    """About half of them as single messages, half in batches."""
    codes: int
    """For each provider that sends codes."""
    checks: int
    orders: int
    """For each account that rents numbers."""
    cancels: int


def make_wave(texts: int) -> Wave:
    others = max(6, texts // 10)
    return Wave(texts, codes=others, checks=others, orders=others // 2 + 1, cancels=others // 2 + 1)


class Chaos:
    """One run and its record. Times are in seconds since 1970."""

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
        """A host kills the remaining processes of a cluster that ended. These are kills too."""
        self.under_way: Counter[str] = Counter()
        """By kind of call: the number of kills while at least one such call was in flight."""
        self.started_at = time.time()
        self.drained_at: float | None = None
        """When no row waited any more. Calls of killed loops may still be open."""
        self.settled_at: float | None = None
        self.books_read = False
        """Whether the portal has read all of the provider's transactions."""
        self.marked_at: dict[tuple[str, int], float] = {}
        """Kind and row to the real time of the mark "in flight", where `hurry` changed it."""

    def run(self, kills: int, wave: Wave) -> None:
        change_delays(self._remote, self._chance)
        wake.keep_running()
        # Before the first kill there must be sessions to check and orders to cancel.
        self._add_work(Wave(0, codes=wave.codes, checks=0, orders=wave.orders, cancels=0))
        self._wait_until(lambda: not calls.in_flight() and not calls.waiting())
        for index, planned in enumerate(plan(random.Random(f"kills {self._seed}"), kills)):
            self._batches.disturb(cancelling=index == kills // 2)
            self._add_work(wave)
            if not planned.hasty:
                self._wait_for_calls()
            self._run_for(planned.delay)
            self._strike(planned)
            change_delays(self._remote, self._chance)
        self._batches.resume()

    def settle(self, *, hurry: bool) -> None:
        """Wait until no row waits or is in flight and no order can still change."""
        if hurry:
            # By then the calls of living loops have returned.
            self._run_for(3 * SLOWEST)
            self._age_lost_calls()
        if not self._wait_until(lambda: not calls.waiting(), ending=True):
            return
        self.drained_at = time.time()
        if hurry:
            # A host may have killed further processes since, because its cluster ended.
            self._age_lost_calls()
        self._remote.clear_faults()
        if self._wait_until(self._is_settled, ending=True):
            self.settled_at = time.time()
            self._read_transactions()
        self.book.read()

    # --- work ------------------------------------------------------------------------

    def _add_work(self, wave: Wave) -> None:
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
        """Wait until calls of every kind that has work left are in flight at once."""
        since = self.kills[-1].at if self.kills else 0.0
        deadline = time.monotonic() + TARGET_TIMEOUT
        while time.monotonic() < deadline:
            if all(
                kind.claimed_since(since).exists() or not kind.queued().exists()
                for kind in CALL_KINDS
            ):
                return
            self._run_for(TICK / 5)

    def _strike(self, planned: Planned) -> None:
        """Kill a process of the planned kind, or the whole cluster if none appears in time."""
        before, kind = (self.kills[-1].at if self.kills else 0.0), planned.kind
        deadline = time.monotonic() + TARGET_TIMEOUT
        while not (kill := strike(planned, kind, self.hosts)):
            self._run_for(TICK)
            if time.monotonic() > deadline:
                kind = "cluster"
        self.kills.append(kill)
        going = {one.name: one.in_flight(before).count() for one in CALL_KINDS}
        self.under_way.update(name for name, number in going.items() if number)
        self._print_kill(kill, going)

    def _print_kill(self, kill: Kill, going: dict[str, int]) -> None:
        words = ", ".join(f"{name} {number}" for name, number in going.items() if number)
        print(
            f"  {kill.at - self.started_at:7.1f} s  kill {len(self.kills):2}: {kill.kind} on"
            f" {kill.host}; in flight: {words or 'nothing'}",
            flush=True,
        )

    # --- running ---------------------------------------------------------------------

    def _run_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            for host in self.hosts:
                if host.supervise():
                    self.endings.append(Kill("leftovers", host.name, time.time()))
            now = time.monotonic()
            if now >= self._next_watch:
                self._next_watch = now + WATCH_EVERY
                wake.keep_running()
                self._batches.run_schedule()
            if now >= self._next_reading:
                self._next_reading = now + READ_EVERY
                self.book.read()
            if time.monotonic() >= end:
                return
            time.sleep(min(TICK, max(0.0, end - time.monotonic())))

    def _wait_until(self, holds: Callable[[], bool], *, ending: bool = False) -> bool:
        """Run until the condition holds. Returns False if nothing changes for STUCK_AFTER.

        ending: cancel the orders that never get an SMS meanwhile.
        """
        seen, changed_at = None, time.monotonic()
        while not holds():
            if ending:
                self._orders.cancel_rest()
            self._run_for(TICK)
            now = calls.waiting(), calls.in_flight(), still_pending()
            if now != seen:
                seen, changed_at = now, time.monotonic()
            elif time.monotonic() - changed_at > STUCK_AFTER:
                return False
        return True

    # --- the end ---------------------------------------------------------------------

    def _is_settled(self) -> bool:
        return not calls.waiting() and not calls.in_flight() and not still_pending()

    def _age_lost_calls(self) -> None:
        """Make the rows and heartbeats of killed loops two minutes older."""
        for kind in CALL_KINDS:
            for pk, _, at in kind.calls_in_doubt(lost_only=False):
                # The change would hide which kill a call belongs to.
                self.marked_at.setdefault((kind.name, pk), at)
        before = datetime.fromtimestamp(max(one.at for one in [*self.kills, *self.endings]), UTC)
        for kind in CALL_KINDS:
            kind.in_flight().filter(handed_over_at__lt=before).update(
                claimed_at=F("claimed_at") - ABANDONED_CALL,
                handed_over_at=F("handed_over_at") - ABANDONED_CALL,
            )
        loops = Heartbeat.objects.filter(name__startswith="loop:", beat_at__lt=before)
        loops.update(beat_at=F("beat_at") - LOOP_TIMEOUT)

    def _read_transactions(self) -> None:
        """Read all transactions for the ledger check, as the daily schedule does.

        An order found in the provider's list meanwhile has to end first.
        """
        while self._wait_until(lambda: self._is_settled() and not _open_readings(), ending=True):
            self._run_for(COMPLETE_DELAY)
            kind = Reading.Kind.TRANSACTIONS
            requested = [
                list_sync_source.request_reading(account, kind, whole=True).pk
                for account in self.accounts.gosms
            ]
            if not self._wait_until(lambda: not _open_readings()):
                return
            if self._is_settled():
                done = Reading.objects.filter(pk__in=requested, state="done", complete=True)
                self.books_read = done.count() == len(requested)
                return


def _open_readings() -> bool:
    return Reading.objects.filter(state__in=("queued", "claimed"), kind__in=LISTS).exists()
