"""The loop: keep the leases, record what is finished, give out what is due.

One thread does all database work; the threads of the workshop make the calls. A paid
row goes queued -> claimed -> sending and is committed as such before its call is made.
So a loop that dies leaves behind only rows that its claim marks, and each of them says
whether its call may have been made.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from django.db import close_old_connections

from .. import accounts, rate_limits
from ..gateway.http.client import Deadlines
from ..models import Account, heartbeat
from . import heartbeats, leases
from .dispatcher import Dispatcher, LeasedAccount
from .result_writer import ResultWriter
from .work_source import DATABASE_AWAY, WorkSource, sources
from .worker_pool import PoolRequest, SlotRequest, WorkerPool

logger = logging.getLogger(__name__)

THREADS = 256
"""Started as they are needed; many, so that one hung provider does not starve the others."""
IDLE_PAUSE = 0.04
"""Seconds between two looks for work when there is none."""
BUSY_PAUSE = 0.005
"""Seconds between two glances at how many calls have come back, while some are under way."""
LONGEST_PAUSE = 0.03
"""Seconds between two rounds while calls are under way. A round costs much the same for one
call as for many, and the threads have as many again ready."""
ENOUGH = 4
"""Once one in so many has come back, the next round begins."""
COLLECT_EVERY = 50_000
"""Objects between two searches for rings among the young ones. With the usual 700 a loop
that makes a thousand calls a second searches all the time, and every thread waits for it."""
RENEW_EVERY = leases.TIME_TO_LIVE / 3
SWEEP_EVERY = 5.0
DEADLINES = Deadlines()
DRAIN = 60.0
"""Seconds that running calls get to end when the loop stops: longer than any call."""
LONGEST_DRAIN = 200.0
"""Seconds that a loop stays for a database that is away while results are unwritten."""


@contextmanager
def _tuned() -> Iterator[None]:
    """Python, for many small objects."""
    thresholds = gc.get_threshold()
    gc.set_threshold(COLLECT_EVERY, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


class Loop:
    def __init__(self, should_stop: Callable[[], bool], deadlines: Deadlines = DEADLINES) -> None:
        self.claim: UUID = uuid4()
        self._should_stop = should_stop
        self._worker_pool = WorkerPool(THREADS, deadlines)
        self._dispatcher = Dispatcher(self.claim, self._worker_pool)
        self._recorder = ResultWriter(self.claim)
        self._served: dict[int, LeasedAccount] = {}
        self._next_renewal = self._next_beat = 0.0
        self._next_sweeps: dict[str, float] = {}

    def run(self) -> None:
        """Serve until told to stop; then let running calls end and record them."""
        with _tuned():
            try:
                while not self._should_stop():
                    self._rest(self._guarded_turn())
            finally:
                self._leave()

    def _guarded_turn(self) -> bool:
        try:
            return self.turn()
        except DATABASE_AWAY:
            # Results stay in memory and are written when the database is back.
            logger.exception("The engine could not reach the database.")
            close_old_connections()
        except Exception:
            logger.exception("A round of the engine failed.")
        time.sleep(1)
        return True

    def _rest(self, busy: bool) -> None:
        """While calls are under way, results gather for a moment into one write."""
        if self._dispatcher.in_flight > 0:
            until = time.monotonic() + LONGEST_PAUSE
            time.sleep(BUSY_PAUSE)
            while not self._enough_came_back() and time.monotonic() < until:
                time.sleep(BUSY_PAUSE)
        elif not busy:
            self._worker_pool.wake.wait(IDLE_PAUSE)
        self._worker_pool.wake.clear()

    def _enough_came_back(self) -> bool:
        return self._worker_pool.came_back * ENOUGH >= self._dispatcher.in_flight

    def turn(self) -> bool:
        """One round. True where there was something to do."""
        now = time.monotonic()
        if now >= self._next_renewal:
            self._renew(now)
        done = self._record()
        self._answer_pool_requests()
        for source in sources():
            done += self._give_out(source)
        self._sweep(now)
        return bool(done)

    def _sweep(self, now: float) -> None:
        """One source in a round, the one that has waited longest: all of them at once would
        take so long that the threads run out of work."""
        source = min(sources(), key=lambda one: self._next_sweeps.get(one.name, 0.0))
        if now >= self._next_sweeps.get(source.name, 0.0):
            self._next_sweeps[source.name] = now + SWEEP_EVERY
            source.sweep()

    def _give_out(self, source: WorkSource) -> int:
        try:
            return self._dispatcher.give_out(source, self._served)
        except DATABASE_AWAY:
            raise
        except Exception:
            # One source at fault must not stop the others.
            logger.exception("No work could be given out for %s.", source.name)
            return 0

    def _record(self) -> int:
        for finished in self._worker_pool.take_finished():
            self._dispatcher.came_back(finished.result.job)
            self._recorder.add(finished)
        if self._recorder.is_empty:
            return 0
        written = self._recorder.write(self._served)
        for account_id, served in self._served.items():
            if served.account.is_paused:
                self._worker_pool.close_for_paid(account_id)
        return written

    def _renew(self, now: float) -> None:
        """Keep the leases, and look at the accounts anew."""
        held = leases.renew(self.claim)
        self._next_renewal = now + RENEW_EVERY
        served: dict[int, LeasedAccount] = {}
        # A moment old is new enough for both: a new address leaves the old one valid for days.
        accounts_held = Account.objects.filter(pk__in=held)
        for account in accounts_held.prefetch_related("credentials", "callback_tokens"):
            client = account.client
            if client is None:
                continue
            before = self._served.get(account.pk)
            if account.is_paused:
                self._worker_pool.close_for_paid(account.pk)
            else:
                self._worker_pool.reopen(account.pk)
            now_served = LeasedAccount(account, client, accounts.decrypted_login_of(account))
            if before:
                now_served.free_at, now_served.bulk_throttle = before.free_at, before.bulk_throttle
            served[account.pk] = now_served
        self._served = served
        if now >= self._next_beat:
            self._next_beat = now + heartbeats.BEAT_EVERY
            heartbeats.beat(self.claim)
            if held:
                heartbeat("engine", f"{len(held)} accounts")

    def _answer_pool_requests(self) -> None:
        pool_requests = self._worker_pool.take_pool_requests()
        while pool_requests:
            try:
                self._answer(pool_requests[0])
            except DATABASE_AWAY:
                self._worker_pool.put_back_pool_requests(pool_requests)
                raise
            pool_requests.pop(0)

    def _answer(self, pool_request: PoolRequest) -> None:
        served = self._served.get(pool_request.account_id)
        if isinstance(pool_request, SlotRequest):
            pool_request.answer.set_result(
                rate_limits.reserve(served.account)[0] if served else 0.0
            )
        elif served is not None:
            wait = rate_limits.slow_down(served.account, pool_request.seconds)
            served.free_at = time.monotonic() + wait
            self._recorder.slowed(served.account.pk)

    # --- leaving ---------------------------------------------------------------

    def _leave(self) -> None:
        """Nothing new leaves; what is under way ends and is written down."""
        self._worker_pool.stop()
        self._next_beat = 0.0
        started = time.monotonic()
        while time.monotonic() - started < self._longest_drain():
            try:
                if self._is_drained():
                    break
            except DATABASE_AWAY:
                logger.exception("The engine could not reach the database while stopping.")
                close_old_connections()
                time.sleep(1)
            self._worker_pool.wake.wait(0.05)
            self._worker_pool.wake.clear()
        self._worker_pool.close()
        leases.release(self.claim)
        heartbeats.leave(self.claim)

    def _longest_drain(self) -> float:
        """Results that are there but cannot be written yet are worth a longer wait."""
        return DRAIN if self._recorder.is_empty else LONGEST_DRAIN

    def _is_drained(self) -> bool:
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + heartbeats.BEAT_EVERY
            heartbeats.beat(self.claim)
            leases.keep(self.claim)
            leases.release(self.claim, but_keep=self._dispatcher.accounts_in_flight)
        self._dispatcher.put_all_back(sources())
        self._answer_pool_requests()
        self._record()
        return self._dispatcher.in_flight <= 0 and self._recorder.is_empty
