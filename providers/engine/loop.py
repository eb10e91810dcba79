"""The loop: keep the leases, record finished calls, dispatch due rows.

One thread does all database work; the threads of the worker pool make the calls. A paid row goes
queued -> claimed -> sending, and each step is committed before the call. So a loop that dies
leaves only rows with its claim, and each row says whether its call may have been made.
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
from ..hold import fence, recovery
from ..hold.fence import FenceBroken
from ..models import Account, heartbeat
from . import heartbeats, leases
from .dispatch_round import LeasedAccount
from .dispatcher import Dispatcher
from .past_guard import NO_PAST, PastGuard
from .result_writer import ResultWriter
from .work_source import DATABASE_AWAY, WorkSource, sources
from .worker_pool import PoolRequest, SlotRequest, WorkerPool

logger = logging.getLogger(__name__)

THREADS = 256
"""Threads start on demand. There are many, so that one hung provider does not starve the others."""
IDLE_PAUSE = 0.04
"""Seconds between two rounds while there is no work."""
BUSY_PAUSE = 0.005
"""Seconds between two checks of how many calls have finished, while some are in flight."""
LONGEST_PAUSE = 0.03
"""The longest pause between two rounds while calls are in flight, in seconds. A round costs about
the same for one call as for many, and each thread has its next call ready."""
ROUND_AFTER_ONE_IN = 4
"""The next round begins early once one in this many calls has finished."""
GC_THRESHOLD = 50_000
"""Generation-0 threshold of the garbage collector. With the default of 700, a loop that makes a
thousand calls a second collects all the time, and every thread waits for it."""
RENEW_EVERY = leases.TIME_TO_LIVE / 3
SWEEP_EVERY = 5.0
DEADLINES = Deadlines()
DRAIN_TIMEOUT = 60.0
"""Seconds that running calls have to end when the loop stops. Longer than any call takes."""
LONGEST_DRAIN_TIMEOUT = 200.0
"""Seconds that a stopping loop waits for a lost database while results are unwritten."""


@contextmanager
def _tuned_garbage_collector() -> Iterator[None]:
    """Tune the garbage collector for many small objects within the block."""
    thresholds = gc.get_threshold()
    gc.set_threshold(GC_THRESHOLD, *thresholds[1:])
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
        self._result_writer = ResultWriter(self.claim)
        self._past_guard = PastGuard()
        self._served: dict[int, LeasedAccount] = {}
        self._next_renewal = self._next_beat = 0.0
        self._next_sweeps: dict[str, float] = {}

    def run(self) -> None:
        """Serve until `should_stop` returns True, then let running calls end and record them."""
        with _tuned_garbage_collector():
            try:
                while not self._should_stop():
                    self._pause(self._run_guarded_round())
            finally:
                self._shut_down()

    def _run_guarded_round(self) -> bool:
        try:
            return self.run_round()
        except DATABASE_AWAY:
            # Results stay in memory until the database is back.
            logger.exception("The engine could not reach the database.")
            close_old_connections()
        except Exception:
            logger.exception("A round of the engine failed.")
        time.sleep(1)
        return True

    def _pause(self, busy: bool) -> None:
        """Pause between rounds. While calls are in flight, results gather for one write."""
        if self._dispatcher.in_flight > 0:
            until = time.monotonic() + LONGEST_PAUSE
            time.sleep(BUSY_PAUSE)
            while not self._enough_finished() and time.monotonic() < until:
                time.sleep(BUSY_PAUSE)
        elif not busy:
            self._worker_pool.wake.wait(IDLE_PAUSE)
        self._worker_pool.wake.clear()

    def _enough_finished(self) -> bool:
        return self._worker_pool.finished_count * ROUND_AFTER_ONE_IN >= self._dispatcher.in_flight

    def run_round(self) -> bool:
        """Run one round. Returns whether there was anything to do."""
        try:
            return self._run_round()
        except FenceBroken as broken:
            self._leave_past(broken)
            return True

    def _run_round(self) -> bool:
        now = time.monotonic()
        self._past_guard.look_if_due(now)
        self._worker_pool.past = fence.current_past()
        if now >= self._next_renewal:
            self._renew(now)
        done = self._record()
        self._answer_pool_requests()
        for source in sources():
            done += self._dispatch(source)
        self._sweep(now)
        return bool(done)

    def _leave_past(self, broken: FenceBroken) -> None:
        """Forget what belongs to another past of the database, and put on hold what waits.

        Until that has succeeded, each round gets here again.
        """
        self._worker_pool.past = NO_PAST
        self._dispatcher.forget()
        self._past_guard.look_again()
        self._next_renewal = self._next_beat = 0.0
        if not recovery.recover(broken):
            time.sleep(1)

    def _sweep(self, now: float) -> None:
        """Sweep the source that has waited longest. All sources in one round would take so long
        that the threads run out of work."""
        source = min(sources(), key=lambda one: self._next_sweeps.get(one.name, 0.0))
        if now >= self._next_sweeps.get(source.name, 0.0):
            self._next_sweeps[source.name] = now + SWEEP_EVERY
            source.sweep()

    def _dispatch(self, source: WorkSource) -> int:
        try:
            return self._dispatcher.dispatch(source, self._served)
        except (*DATABASE_AWAY, FenceBroken):
            raise
        except Exception:
            # A faulty source must not stop the others.
            logger.exception("No work could be given out for %s.", source.name)
            return 0

    def _record(self) -> int:
        for finished in self._worker_pool.take_finished():
            self._dispatcher.mark_finished(finished.result.job)
            self._result_writer.add(finished)
        if self._result_writer.is_empty:
            return 0
        fence.check()
        written = self._result_writer.write(self._served)
        for account_id, served in self._served.items():
            if served.account.is_paused:
                self._worker_pool.pause_account(account_id)
        return written

    def _renew(self, now: float) -> None:
        """Renew the leases and reload the accounts."""
        held = leases.renew(self.claim)
        self._next_renewal = now + RENEW_EVERY
        served: dict[int, LeasedAccount] = {}
        # Slightly stale rows will do: after a new callback address the old one is valid for days.
        accounts_held = Account.objects.filter(pk__in=held)
        for account in accounts_held.prefetch_related("credentials", "callback_tokens"):
            client = account.client
            if client is None:
                continue
            before = self._served.get(account.pk)
            if account.is_paused:
                self._worker_pool.pause_account(account.pk)
            else:
                self._worker_pool.resume_account(account.pk)
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
                self._worker_pool.requeue_pool_requests(pool_requests)
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
            self._result_writer.note_slowdown(served.account.pk)

    # --- shutting down ---------------------------------------------------------

    def _shut_down(self) -> None:
        """Start no new call, wait for the running ones and record them."""
        self._worker_pool.stop()
        self._next_beat = 0.0
        started = time.monotonic()
        while time.monotonic() - started < self._drain_timeout():
            try:
                if self._is_drained():
                    break
            except DATABASE_AWAY:
                logger.exception("The engine could not reach the database while stopping.")
                close_old_connections()
                time.sleep(1)
            except FenceBroken as broken:
                self._leave_past(broken)
            self._worker_pool.wake.wait(0.05)
            self._worker_pool.wake.clear()
        self._worker_pool.close()
        leases.release(self.claim)
        heartbeats.remove(self.claim)

    def _drain_timeout(self) -> float:
        """Unwritten results justify a longer wait."""
        return DRAIN_TIMEOUT if self._result_writer.is_empty else LONGEST_DRAIN_TIMEOUT

    def _is_drained(self) -> bool:
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + heartbeats.BEAT_EVERY
            heartbeats.beat(self.claim)
            leases.extend(self.claim)
            leases.release(self.claim, except_for=self._dispatcher.accounts_in_flight)
        self._dispatcher.release_all(sources())
        self._answer_pool_requests()
        self._record()
        return self._dispatcher.in_flight <= 0 and self._result_writer.is_empty
