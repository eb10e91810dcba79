"""Giving out work: claim what is due, mark it as being sent, and only then start it."""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final
from uuid import UUID

from django.db import transaction

from .. import rate_limits
from ..gateway.call import Login
from ..gateway.client import Client
from ..models import Account
from .bulk_throttle import AHEAD, BulkThrottle, room_for_bulk
from .work_source import DATABASE_AWAY, Job, Lane, WorkSource
from .worker_pool import WorkerPool

logger = logging.getLogger(__name__)

FURTHEST_SLOT = 1.0
"""Seconds. No row is claimed whose slot is further away: few rows then wait between claim
and hand-over, and what is more urgent can still go first."""
AFTER_A_FAULT = 5.0
"""Seconds until an account whose work could not be claimed is tried again."""
LOOK_EVERY: Final[Mapping[Lane, float]] = {
    Lane.STAFF: 0.0,
    Lane.ORDERS: 0.1,
    Lane.POLLS: 0.25,
    Lane.BULK: 0.25,
}
"""Seconds between two looks at a source that had no work. Every look is a question to the
database, and with all of them in each round those who wait for the next round would wait for
the answers."""
SELDOM: Final = 3
"""So many times as seldom while other work is more than there is room for."""
BUSY_LOOK: Final = 0.05
"""Seconds at the least between two such looks then: not one in every round."""
STALE_CLAIM = 10.0
"""Seconds between claim and hand-over after which the row is given back instead."""


@dataclass
class LeasedAccount:
    """An account that this loop holds the lease of."""

    account: Account
    client: type[Client]
    login: Login
    free_at: float = 0.0
    """By the monotonic clock: before this there is no slot near enough to claim for."""
    bulk_throttle: BulkThrottle = field(default_factory=BulkThrottle)


@dataclass
class ReservedJob:
    """A claimed row whose slot may not have come yet. Times by the monotonic clock."""

    slot_at: float
    order: int
    claimed_at: float
    job: Job


@dataclass(frozen=True)
class DispatchRound:
    """What one round settled: which rows were ready, which claims a newer one replaced,
    and which jobs may be started."""

    ready: list[ReservedJob]
    outdated: list[ReservedJob]
    ours: list[Job]


class Dispatcher:
    """Claims rows and hands them over to the workshop. Used by the loop's thread alone.

    Claim and hand-over of one round are one transaction; nothing is started before it is
    committed, and what it did not commit is as if it had not been tried.
    """

    def __init__(self, claim: UUID, worker_pool: WorkerPool) -> None:
        self._claim = claim
        self._worker_pool = worker_pool
        self._waiting: dict[str, list[ReservedJob]] = defaultdict(list)
        self._order = count()
        self._in_flight: Counter[int] = Counter()
        self._backlogged: dict[str, set[int]] = defaultdict(set)
        """Accounts whose last claim found as much as it asked for: there is more."""
        self._looked_at: dict[str, float] = {}
        """When a source was last found without work, by the monotonic clock."""
        self._uncommitted: dict[str, list[Job]] = defaultdict(list)
        """Claimed in a transaction of which it is not known whether it was committed."""

    @property
    def in_flight(self) -> int:
        """Rows that are claimed or being sent by this loop."""
        return self._in_flight.total()

    @property
    def accounts_in_flight(self) -> list[int]:
        return [account_id for account_id, count in self._in_flight.items() if count > 0]

    def came_back(self, job: Job) -> None:
        self._in_flight[job.account_id] -= 1

    def give_out(self, source: WorkSource, served: Mapping[int, LeasedAccount]) -> int:
        """One round for one source; returns how many rows were claimed or started."""
        due = self._due(source)
        backlogged = self._with_work(source, served)
        uncommitted = self._uncommitted[source.name]
        if not (due or backlogged or uncommitted):
            return 0
        claimed: list[ReservedJob] = []
        try:
            with transaction.atomic():
                if uncommitted:
                    source.release(uncommitted, self._claim)
                for account_id in sorted(backlogged):
                    claimed += self._claim_guarded(served[account_id], source)
                round_ = self._mark_in_flight(source, due, claimed, served)
        except BaseException:
            # Whether this was committed is not known; certain is that nothing was started.
            self._uncommitted[source.name] = [*uncommitted, *(one.job for one in claimed)]
            raise
        self._uncommitted[source.name] = []
        self._after_commit(source, round_, claimed)
        by_account: dict[int, list[Job]] = defaultdict(list)
        for job in round_.ours:
            by_account[job.account_id].append(job)
        for account_id, jobs in by_account.items():
            its = served[account_id]
            self._worker_pool.start(source, jobs, its.account, its.client, its.login)
        return len(claimed) + len(round_.ours)

    def _mark_in_flight(
        self,
        source: WorkSource,
        due: list[ReservedJob],
        claimed: list[ReservedJob],
        served: Mapping[int, LeasedAccount],
    ) -> DispatchRound:
        """Mark what is ready as being sent. Of two claims of one row the newer one counts:
        the row had been put back meanwhile, so the older one is worth nothing."""
        now = time.monotonic()
        newer = {waiting.job.subject for waiting in claimed}
        outdated = [one for one in self._waiting[source.name] if one.job.subject in newer]
        ready = [one for one in due if one.job.subject not in newer]
        ready += [waiting for waiting in claimed if waiting.slot_at <= now]
        going = [one.job for one in ready if self._may_go(one, source, served, now)]
        staying = [one.job for one in ready if not self._may_go(one, source, served, now)]
        if staying:
            source.release(staying, self._claim)
        ours = list(source.mark_in_flight(going, self._claim)) if going else []
        return DispatchRound(ready, outdated, ours)

    def _claim_guarded(self, served: LeasedAccount, source: WorkSource) -> list[ReservedJob]:
        """One account at fault must not stop the others: the round is undone, and the next
        ones go without it. A savepoint for each would be two more questions in every round."""
        try:
            return self._claim_for(served, source)
        except DATABASE_AWAY:
            raise
        except Exception:
            served.free_at = time.monotonic() + AFTER_A_FAULT
            logger.error("No work could be claimed for account %s.", served.account.pk)
            raise

    def _due(self, source: WorkSource) -> list[ReservedJob]:
        """Those whose slot has come; they stay where they are until it is committed."""
        now = time.monotonic()
        return [waiting for waiting in self._waiting[source.name] if waiting.slot_at <= now]

    def _with_work(self, source: WorkSource, served: Mapping[int, LeasedAccount]) -> set[int]:
        backlogged, looks = self._backlogged[source.name], self._may_look(source)
        if not (backlogged or looks):
            return set()
        able = {pk for pk, one in served.items() if self._may_serve(one, source)}
        known = backlogged & able
        return known | (self._look(source, able - known) if looks else set())

    def _may_look(self, source: WorkSource) -> bool:
        """Not too soon after a look that found nothing."""
        pause = LOOK_EVERY[source.lane]
        if any(self._backlogged.values()):
            pause = max(pause * SELDOM, BUSY_LOOK)
        return time.monotonic() >= self._looked_at.get(source.name, float("-inf")) + pause

    def _look(self, source: WorkSource, accounts: set[int]) -> set[int]:
        """Which of these accounts have work."""
        if not accounts:
            return set()
        now = time.monotonic()
        found = source.accounts_with_work(accounts)
        if not found:
            self._looked_at[source.name] = now
        return found

    def _may_serve(self, served: LeasedAccount, source: WorkSource) -> bool:
        if not issubclass(served.client, source.clients):
            return False
        if source.paid and served.account.is_paused:
            return False
        now = time.monotonic()
        if source.lane is Lane.BULK and not served.bulk_throttle.near(served.account, now):
            return False
        return self._room(served, source) > 0 and served.free_at <= now

    def _room(self, served: LeasedAccount, source: WorkSource) -> int:
        """As many again as may be in flight are kept ready, so that no thread waits for
        this loop; a kill then leaves at most twice the calls in flight in doubt."""
        most = 2 * served.account.in_flight
        if source.lane is Lane.BULK:
            most = room_for_bulk(served.account.in_flight)
        return most - self._in_flight[served.account.pk]

    def _claim_for(self, served: LeasedAccount, source: WorkSource) -> list[ReservedJob]:
        """Claim what the account has room and slots for, and take a slot for each.

        The slots are counted before the claim and taken after it, so that none is taken
        for work that is not there.
        """
        account = served.account
        wanted, furthest = self._room(served, source), FURTHEST_SLOT
        if source.lane is Lane.BULK:
            wanted = min(wanted, served.bulk_throttle.near(account, time.monotonic()))
            furthest = AHEAD
        forecast = rate_limits.forecast_slots(account, wanted, furthest)
        if not forecast.in_time:
            self._wait(served, source, forecast.next_wait - furthest)
            return []
        jobs = source.claim(account, forecast.in_time, self._claim)
        backlogged = self._backlogged[source.name]
        (backlogged.add if len(jobs) == forecast.in_time else backlogged.discard)(account.pk)
        if not jobs:
            return []
        now = time.monotonic()
        if source.lane is Lane.BULK:
            served.bulk_throttle.take(account, now, len(jobs))
        return [
            ReservedJob(now + wait, next(self._order), now, job)
            for job, wait in zip(jobs, rate_limits.take(account, forecast, len(jobs)), strict=True)
        ]

    def _wait(self, served: LeasedAccount, source: WorkSource, seconds: float) -> None:
        """No slot is near enough for this lane yet; the others may look further ahead."""
        until = time.monotonic() + max(seconds, 0)
        if source.lane is Lane.BULK:
            served.bulk_throttle.wait_until(until)
        else:
            served.free_at = until

    def _may_go(
        self,
        waiting: ReservedJob,
        source: WorkSource,
        served: Mapping[int, LeasedAccount],
        now: float,
    ) -> bool:
        its = served.get(waiting.job.account_id)
        if its is None or now - waiting.claimed_at > STALE_CLAIM:
            return False
        return not (source.paid and its.account.is_paused)

    def _after_commit(
        self, source: WorkSource, round_: DispatchRound, claimed: list[ReservedJob]
    ) -> None:
        """After the commit: what was claimed is in hand, what was ready waits no more."""
        for waiting in claimed:
            self._in_flight[waiting.job.account_id] += 1
        started = {id(job) for job in round_.ours}
        over = [one for one in round_.ready if id(one.job) not in started]
        for waiting in (*over, *round_.outdated):
            self.came_back(waiting.job)
        gone = {waiting.order for waiting in (*round_.ready, *round_.outdated)}
        both = (*self._waiting[source.name], *claimed)
        self._waiting[source.name] = [one for one in both if one.order not in gone]

    def put_all_back(self, sources: list[WorkSource]) -> None:
        """The loop is leaving: what was not handed over yet is anybody's again."""
        for source in sources:
            waiting = self._waiting[source.name]
            if waiting:
                source.release([one.job for one in waiting], self._claim)
                for one in waiting:
                    self.came_back(one.job)
                waiting.clear()
