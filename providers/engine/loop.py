"""The loop: keep the leases, record finished calls, dispatch due rows.

One thread does all database work; the threads of the worker pool make the calls. A paid row goes
queued -> claimed -> sending, and each step is committed before the call. So a loop that dies
leaves only rows with its claim, and each row says whether its call may have been made.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

from core.database_sessions import synced_by_next_commit

from .. import clock, rate_limits
from ..gateway.http.client import Deadlines
from ..hold import fence, recovery
from ..hold.fence import FenceBroken
from ..models import heartbeat
from . import clock_watch, far_times, heartbeats, leases
from .clock_watch import ClockWatch
from .database_errors import concerns_row
from .dispatch_round import LeasedAccount
from .dispatcher import Dispatcher
from .hand_over import HandOver
from .past_guard import NO_PAST, PastGuard
from .result_writer import ResultWriter
from .served_accounts import load
from .sweep_pace import SweepPace
from .work_source import WorkSource, sources
from .worker_pool import PoolRequest, SlotRequest, WorkerPool

logger = logging.getLogger(__name__)

THREADS = 256
"""Threads start on demand. There are many, so that one hung provider does not starve the others."""
IDLE_PAUSE = 0.04
"""Seconds between two rounds while there is no work."""
LONGEST_REST = 0.25
"""The same after a while without work, as long as nobody writes to the database."""
BUSY_PAUSE = 0.005
"""Seconds between two checks of how many calls have finished, while some are in flight."""
LONGEST_PAUSE = 0.03
"""The longest pause between two rounds while calls are in flight, in seconds. A round costs about
the same for one call as for many, and each thread has its next call ready."""
ROUND_AFTER_ONE_IN = 4
"""The next round begins early once one in this many calls has finished."""
RENEW_EVERY = leases.TIME_TO_LIVE / 3
SOONEST_RENEWAL = 0.2
CLOCK_REPAIR_EVERY = 60.0
DEADLINES = Deadlines()
DRAIN_TIMEOUT = 60.0
"""Seconds that running calls have to end when the loop stops. Longer than any call takes."""
LONGEST_DRAIN_TIMEOUT = 3600.0
"""Seconds that a stopping loop waits for a lost database while results are unwritten. A stop
of the whole cluster allows less time and ends the process."""


class Loop:
    def __init__(self, should_stop: Callable[[], bool], deadlines: Deadlines = DEADLINES) -> None:
        self.claim: UUID = uuid4()
        self._should_stop = should_stop
        self._worker_pool = WorkerPool(THREADS, deadlines)
        self._dispatcher = Dispatcher(self.claim, self._worker_pool)
        self._result_writer = ResultWriter(self.claim)
        self._past_guard = PastGuard()
        self._served: dict[int, LeasedAccount] = {}
        self._hand_over = HandOver(self._worker_pool)
        self._next_renewal = self._next_beat = 0.0
        self._sweep_pace = SweepPace()
        self._clock = ClockWatch()
        self._next_clock_repair = 0.0

    def run(self) -> None:
        """Serve until `should_stop` returns True, then let running calls end and record them."""
        try:
            while not self._should_stop():
                self._pause(self._run_guarded_round())
        finally:
            self._shut_down()

    def _run_guarded_round(self) -> bool:
        try:
            return self.run_round()
        except Exception as error:  # noqa: BLE001 - a loop survives every failure
            self._wait_after(error)
        return True

    def _wait_after(self, error: Exception) -> None:
        """Log the error and wait. Results stay in memory until the database takes them."""
        if concerns_row(error):
            logger.error("A round of the engine failed.", exc_info=error)
        else:
            logger.error("The database is away.", exc_info=error)
            # A connection to a server that was read-only may stay so permanently.
            connection.close()
        time.sleep(1)

    def _pause(self, busy: bool) -> None:
        """Pause between rounds. While calls are in flight, results gather for one write."""
        if self._dispatcher.in_flight > 0:
            until = time.monotonic() + LONGEST_PAUSE
            time.sleep(BUSY_PAUSE)
            while not self._enough_finished() and time.monotonic() < until:
                time.sleep(BUSY_PAUSE)
        elif not busy:
            self._rest()
        self._worker_pool.wake.clear()

    def _rest(self) -> None:
        """Wait for the next round. After a while without work, only look whether somebody wrote."""
        now = time.monotonic()
        until = now + (LONGEST_REST if self._sweep_pace.is_at_rest(now) else 0.0)
        while not self._worker_pool.wake.wait(IDLE_PAUSE) and time.monotonic() < until:
            if not self._dispatcher.is_quiet():
                return

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
        try:
            if now >= self._next_renewal:
                self._renew(now)
        finally:
            with synced_by_next_commit():
                recorded = self._record()
        self._answer_pool_requests()
        dispatched = 0
        self._dispatcher.begin_round()
        if not self._result_writer.is_full(self._dispatcher.in_flight):
            for source in sources():
                dispatched += self._dispatch(source)
        if recorded and not dispatched:
            # The commit that syncs the results.
            heartbeats.touch(self.claim)
        self._free_drained(now)
        self._sweep(now)
        if recorded or dispatched:
            self._sweep_pace.note_work(now)
        return bool(recorded + dispatched)

    def _leave_past(self, broken: FenceBroken) -> None:
        """Forget what belongs to another past of the database, and put on hold what waits.

        Until that has succeeded, each round gets here again.
        """
        self._worker_pool.past = NO_PAST
        self._dispatcher.forget()
        heartbeats.disown_marks(self.claim)
        self._past_guard.look_again()
        self._next_renewal = self._next_beat = 0.0
        if not recovery.recover(broken):
            time.sleep(1)

    def _sweep(self, now: float) -> None:
        if clock.is_settled() and (source := self._sweep_pace.due(now)):
            source.sweep()

    def _dispatch(self, source: WorkSource) -> int:
        try:
            return self._dispatcher.dispatch(source, self._hand_over.serving(self._served))
        except FenceBroken:
            raise
        except Exception as error:
            if not concerns_row(error):
                raise
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
        """Renew the leases, take or give some for an even share, and reload the accounts."""
        if self._clock.check() or now >= self._next_clock_repair:
            self._next_clock_repair = now + CLOCK_REPAIR_EVERY
            clock_watch.remember()
            far_times.bring_all_near()
        if now >= self._next_beat:
            self._next_beat = now + heartbeats.BEAT_EVERY
            heartbeats.beat(self.claim, settings.PORTAL_HOST)
            if self._served:
                heartbeat("engine", f"{len(self._served)} accounts")
        renewal = leases.renew(self.claim, settings.PORTAL_HOST)
        self._worker_pool.may_begin_until = now + leases.TIME_TO_LIVE
        self._next_renewal = now + min(RENEW_EVERY, max(renewal.next_in, SOONEST_RENEWAL))
        former, self._served = self._served, load(self._served, renewal, self._worker_pool)
        if self._served.keys() - former.keys():
            self._sweep_pace.start_over(now)
        self._hand_over.plan(
            self._served, renewal.surplus, self._dispatcher.in_flight_of, time.monotonic()
        )

    def _free_drained(self, now: float) -> None:
        """Free the leases of accounts that another loop is to serve and that are drained."""
        self._release(self._hand_over.take_drained(self._is_idle, now))

    def _is_idle(self, account_id: int) -> bool:
        """Whether every call of the account has ended and is recorded."""
        return self._dispatcher.is_idle(account_id) and not self._result_writer.has_results_of(
            account_id
        )

    def _release(self, account_ids: Collection[int]) -> None:
        if account_ids:
            leases.release(self.claim, account_ids)
            self._served = {pk: one for pk, one in self._served.items() if pk not in account_ids}

    def _answer_pool_requests(self) -> None:
        pool_requests = self._worker_pool.take_pool_requests()
        while pool_requests:
            try:
                self._answer(pool_requests[0])
            except Exception:
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
            except FenceBroken as broken:
                self._leave_past(broken)
            except Exception as error:  # noqa: BLE001 - results must still be written
                self._wait_after(error)
                self._result_writer.log_while_stopping(time.monotonic() - started)
            self._worker_pool.wake.wait(0.05)
            self._worker_pool.wake.clear()
        self._worker_pool.close()
        self._result_writer.log_unwritten()
        try:
            leases.release(self.claim)
            heartbeats.remove(self.claim)
        except Exception as error:
            logger.error("A stopping loop could not release its leases.", exc_info=error)

    def _drain_timeout(self) -> float:
        """Unwritten results justify a longer wait."""
        return DRAIN_TIMEOUT if self._result_writer.is_empty else LONGEST_DRAIN_TIMEOUT

    def _is_drained(self) -> bool:
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + heartbeats.BEAT_EVERY
            heartbeats.beat(self.claim)
            leases.extend(self.claim)
        try:
            self._dispatcher.release_all(sources())
            self._answer_pool_requests()
        finally:
            self._record()
        self._release([account_id for account_id in self._served if self._is_idle(account_id)])
        return self._dispatcher.in_flight <= 0 and self._result_writer.is_empty
