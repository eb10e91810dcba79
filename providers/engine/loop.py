"""The loop: keep the leases, record what is finished, give out what is due.

One thread does all database work; the threads of the workshop make the calls. A paid
row goes queued -> claimed -> sending, each step committed before the next, and the call
is made only after the last. So a loop that dies leaves behind only rows that its claim
marks, and each of them says whether its call may have been made.
"""

from __future__ import annotations

import heapq
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID, uuid4

from django.db import DatabaseError, close_old_connections

from .. import accounts, journal, limits
from ..gateway.call import Login
from ..gateway.client import Client
from ..gateway.wire import Deadlines
from ..models import Account, ApiCall, heartbeat
from . import leases, liveness
from .sources import Job, Result, WorkSource, sources
from .workshop import Finished, SlotRequest, Workshop

logger = logging.getLogger(__name__)

THREADS = 256
"""Started as they are needed; many, so that one hung provider does not starve the others."""
IDLE_PAUSE = 0.04
"""Seconds between two looks for work when there is none."""
BUSY_PAUSE = 0.01
"""Seconds between two rounds while calls are under way."""
RENEW_EVERY = leases.TIME_TO_LIVE / 3
SWEEP_EVERY = 5.0
FURTHEST_SLOT = 1.0
"""Seconds. No row is claimed whose slot is further away: few rows then wait between claim
and hand-over, and what is more urgent can still go first."""
STALE_CLAIM = 10.0
"""Seconds between claim and hand-over after which the row is given back instead."""
DEADLINES = Deadlines()
DRAIN = 60.0
"""Seconds that running calls get to end when the loop stops: longer than any call."""


@dataclass(order=True)
class Waiting:
    """A claimed row whose slot has not come yet. Times by the monotonic clock."""

    slot_at: float
    order: int
    claimed_at: float = field(compare=False)
    source: WorkSource = field(compare=False)
    job: Job = field(compare=False)


@dataclass
class Served:
    """An account that this loop holds the lease of."""

    account: Account
    client: type[Client]
    login: Login
    free_at: float = 0.0
    """By the monotonic clock: before this there is no slot near enough to claim for."""


class Loop:
    def __init__(self, should_stop: Callable[[], bool], deadlines: Deadlines = DEADLINES) -> None:
        self.claim: UUID = uuid4()
        self._should_stop = should_stop
        self._workshop = Workshop(THREADS, deadlines)
        self._served: dict[int, Served] = {}
        self._waiting: list[Waiting] = []
        self._order = count()
        self._in_flight: Counter[int] = Counter()
        self._slowed: set[int] = set()
        self._unwritten: list[ApiCall] = []
        self._unrecorded: list[Finished] = []
        self._next_renewal = self._next_sweep = self._next_beat = 0.0

    def run(self) -> None:
        """Serve until told to stop; then let running calls end and record them."""
        try:
            while not self._should_stop():
                try:
                    busy = self.turn()
                except DatabaseError:
                    # Results stay in memory and are written when the database is back.
                    logger.exception("The engine could not reach the database.")
                    close_old_connections()
                    time.sleep(1)
                    continue
                except Exception:
                    # One source at fault must not stop the others for long.
                    logger.exception("A round of the engine failed.")
                    time.sleep(1)
                    continue
                self._rest(busy)
        finally:
            self._leave()

    def _rest(self, busy: bool) -> None:
        """While calls are under way, a fixed beat lets results gather into one write."""
        if self._in_flight.total() > 0:
            time.sleep(BUSY_PAUSE)
        elif not busy:
            self._workshop.wake.wait(IDLE_PAUSE)
        self._workshop.wake.clear()

    def turn(self) -> bool:
        """One round. True where there was something to do."""
        now = time.monotonic()
        if now >= self._next_renewal:
            self._renew(now)
        recorded = self._record()
        self._answer_wishes()
        given = self._give_out() + self._hand_over_due()
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP_EVERY
            for source in sources():
                source.sweep()
        return bool(recorded or given)

    # --- leases and accounts -----------------------------------------------

    def _renew(self, now: float) -> None:
        held = leases.renew(self.claim)
        self._next_renewal = now + RENEW_EVERY
        served: dict[int, Served] = {}
        for account in Account.objects.filter(pk__in=held).prefetch_related("credentials"):
            client = account.client
            if client is None:
                continue
            before = self._served.get(account.pk)
            if before is None or (before.account.is_paused and not account.is_paused):
                self._workshop.reopen(account.pk)
            served[account.pk] = Served(
                account, client, accounts.login_of(account), before.free_at if before else 0.0
            )
        self._served = served
        if now >= self._next_beat:
            self._next_beat = now + liveness.BEAT_EVERY
            liveness.beat(self.claim)
            if held:
                heartbeat("engine", f"{len(held)} accounts")

    # --- claiming and handing over -----------------------------------------

    def _give_out(self) -> int:
        """Claim due rows where an account has room, those of the first lane first."""
        given = 0
        for source in sources():
            able = [pk for pk, served in self._served.items() if self._may_serve(served, source)]
            for account_id in source.accounts_with_work(able) if able else ():
                given += self._claim_for(self._served[account_id], source)
        return given

    def _may_serve(self, served: Served, source: WorkSource) -> bool:
        if source.paid and served.account.is_paused:
            return False
        return self._room(served) > 0 and served.free_at <= time.monotonic()

    def _room(self, served: Served) -> int:
        """As many again as may be in flight are kept ready, so that no thread waits for
        this loop; a kill then leaves at most twice the calls in flight in doubt."""
        return 2 * served.account.in_flight - self._in_flight[served.account.pk]

    def _claim_for(self, served: Served, source: WorkSource) -> int:
        """Claim what the account has room and slots for, and reserve a slot for each.

        The slots are counted before the claim and taken after it, so that none is taken
        for work that is not there.
        """
        near, wait = limits.peek(served.account, self._room(served), FURTHEST_SLOT)
        if not near:
            served.free_at = time.monotonic() + max(wait - FURTHEST_SLOT, 0)
            return 0
        jobs = source.claim(served.account, near, self.claim)
        if not jobs:
            return 0
        now = time.monotonic()
        for job, wait in zip(jobs, limits.reserve(served.account, len(jobs)), strict=True):
            self._in_flight[job.account_id] += 1
            waiting = Waiting(now + wait, next(self._order), now, source, job)
            heapq.heappush(self._waiting, waiting)
        return len(jobs)

    def _hand_over_due(self) -> int:
        """Mark what is due as being sent, a whole batch in one UPDATE, and start it."""
        now = time.monotonic()
        handed = 0
        while batch := self._next_batch(now):
            handed += self._hand_over(batch[0].source, batch, now)
        return handed

    def _next_batch(self, now: float) -> list[Waiting]:
        """The first ones that are due, as far as they come from one source."""
        batch: list[Waiting] = []
        while self._waiting and self._waiting[0].slot_at <= now:
            if batch and self._waiting[0].source is not batch[0].source:
                break
            batch.append(heapq.heappop(self._waiting))
        return batch

    def _hand_over(self, source: WorkSource, batch: list[Waiting], now: float) -> int:
        going = [one for one in batch if self._may_go(one, now)]
        self._put_back(source, [one.job for one in batch if not self._may_go(one, now)])
        ready = [one.job for one in going]
        try:
            ours = source.hand_over(ready, self.claim) if ready else []
        except Exception:
            # None of these calls has been started, so the next round may try again.
            for one in going:
                heapq.heappush(self._waiting, one)
            raise
        for job in ours:
            served = self._served[job.account_id]
            self._workshop.start(source, job, served.account, served.client, served.login)
        lost = Counter(job.account_id for job in ready)
        lost.subtract(Counter(job.account_id for job in ours))
        self._in_flight.subtract(lost)
        return len(ours)

    def _may_go(self, waiting: Waiting, now: float) -> bool:
        served = self._served.get(waiting.job.account_id)
        if served is None or now - waiting.claimed_at > STALE_CLAIM:
            return False
        return not (waiting.source.paid and served.account.is_paused)

    def _put_back(self, source: WorkSource, jobs: list[Job]) -> None:
        if jobs:
            self._in_flight.subtract(Counter(job.account_id for job in jobs))
            source.give_back(jobs, self.claim)

    # --- recording -----------------------------------------------------------

    def _record(self) -> int:
        """Write results first, since they are worth more than the journal."""
        for finished in self._workshop.take_finished():
            self._in_flight[finished.result.job.account_id] -= 1
            self._unrecorded.append(finished)
            self._unwritten.extend(finished.calls)
        if not self._unrecorded and not self._unwritten:
            return 0
        by_source: dict[str, list[Finished]] = defaultdict(list)
        for finished in self._unrecorded:
            by_source[finished.source.name].append(finished)
        for group in by_source.values():
            self._record_group(group[0].source, [finished.result for finished in group])
            done = set(map(id, group))
            self._unrecorded = [kept for kept in self._unrecorded if id(kept) not in done]
        journal.write(self._unwritten)
        written, self._unwritten = len(self._unwritten), []
        return written

    def _record_group(self, source: WorkSource, results: list[Result]) -> None:
        handed_back = [result.job for result in results if result.handed_back]
        if handed_back:
            source.give_back(handed_back, self.claim)
        answered = [result for result in results if not result.handed_back]
        if answered:
            source.record(answered, self.claim)
            self._note_for_accounts(answered)

    def _note_for_accounts(self, results: list[Result]) -> None:
        """What a result means for the whole account: it may pause, or stop being slow."""
        for result in results:
            served = self._served.get(result.job.account_id)
            if served is None:
                continue
            if result.error is None and served.account.pk in self._slowed:
                self._slowed.discard(served.account.pk)
                limits.note_answer(served.account)
            elif result.error is not None and accounts.pauses(served.account, result.error):
                accounts.pause(served.account, result.error.reason, result.error.words)

    def _answer_wishes(self) -> None:
        for wish in self._workshop.take_wishes():
            served = self._served.get(wish.account_id)
            if isinstance(wish, SlotRequest):
                wish.answer.set_result(limits.reserve(served.account)[0] if served else 0.0)
            elif served is not None:
                wait = limits.slow_down(served.account, wish.seconds)
                served.free_at = time.monotonic() + wait
                self._slowed.add(served.account.pk)

    # --- leaving ---------------------------------------------------------------

    def _leave(self) -> None:
        """Nothing new leaves; what is under way ends and is written down."""
        self._workshop.stop()
        deadline = time.monotonic() + DRAIN
        while time.monotonic() < deadline:
            try:
                if self._is_drained():
                    break
            except DatabaseError:
                logger.exception("The engine could not reach the database while stopping.")
                close_old_connections()
                time.sleep(1)
            self._workshop.wake.wait(0.05)
            self._workshop.wake.clear()
        self._workshop.close()
        leases.release(self.claim)
        liveness.leave(self.claim)

    def _is_drained(self) -> bool:
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + liveness.BEAT_EVERY
            liveness.beat(self.claim)
            leases.keep(self.claim)
        while self._waiting:
            waiting = self._waiting[0]
            self._put_back(waiting.source, [waiting.job])
            heapq.heappop(self._waiting)
        self._answer_wishes()
        self._record()
        return self._in_flight.total() <= 0 and not self._unrecorded
