"""Claim due rows, mark them in flight, then submit them."""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import count
from uuid import UUID

from django.db import transaction

from .. import rate_limits
from ..hold import fence
from .bulk_throttle import BULK_HORIZON, bulk_capacity
from .database_errors import concerns_row
from .dispatch_round import DispatchRound, LeasedAccount, ReservedJob
from .query_pace import QueryPace
from .work_source import Job, Lane, WorkSource
from .worker_pool import WorkerPool

logger = logging.getLogger(__name__)

SLOT_HORIZON = 1.0
"""Seconds. No row is claimed for a slot further away than this. So few rows wait between claim
and mark, and more urgent ones can still go first."""
RETRY_AFTER_FAULT = 5.0
"""Seconds until an account whose rows could not be claimed is tried again."""
STALE_CLAIM = 10.0
"""Seconds after which a claimed row is released instead of being marked in flight."""


class Dispatcher:
    """Claims rows and submits them to the worker pool. Only the loop's thread uses it.

    A round for one source has four steps:

    1. Claim due rows of the accounts that have capacity, and reserve a slot for each.
    2. Mark in flight the rows whose slot has come. Release those that must not start any more.
    3. Commit 1 and 2 together.
    4. Submit the marked jobs to the worker pool.

    Nothing starts before the commit. If the commit fails, or its answer is lost, nothing has
    started, and the next round releases the rows that this one claimed or marked.
    """

    def __init__(self, claim: UUID, worker_pool: WorkerPool) -> None:
        self._claim = claim
        self._worker_pool = worker_pool
        self._reserved: dict[str, list[ReservedJob]] = defaultdict(list)
        self._order = count()
        self._in_flight: Counter[int] = Counter()
        self._backlogged: dict[str, set[int]] = defaultdict(set)
        """Accounts whose last claim returned the full number, so there is probably more."""
        self._pace = QueryPace()
        self._uncommitted: dict[str, list[Job]] = defaultdict(list)
        """Jobs claimed or marked in a transaction that may or may not have been committed."""

    @property
    def in_flight(self) -> int:
        """The number of rows that this loop has claimed or marked in flight."""
        return self._in_flight.total()

    def in_flight_of(self, account_id: int) -> int:
        return self._in_flight[account_id]

    def is_idle(self, account_id: int) -> bool:
        """Whether this loop holds no row of the account, as far as it knows."""
        return self._in_flight[account_id] <= 0 and not any(
            job.account_id == account_id for jobs in self._uncommitted.values() for job in jobs
        )

    def mark_finished(self, job: Job) -> None:
        self._in_flight[job.account_id] -= 1

    def begin_round(self) -> None:
        """Call it once before the sources are dispatched."""
        self._pace.begin_round(idle=self._is_without_work())

    def is_quiet(self) -> bool:
        """Whether there is no work and nobody has written to the database for a while."""
        return self._is_without_work() and self._pace.is_quiet()

    def _is_without_work(self) -> bool:
        return self.in_flight <= 0 and not any(self._backlogged.values())

    def dispatch(self, source: WorkSource, served: Mapping[int, LeasedAccount]) -> int:
        """Run one round for one source. Returns the number of rows claimed or started."""
        due = self._due(source)
        backlogged = self._accounts_to_claim_for(source, served)
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
                risen = fence.rise() if source.never_repeated and round_.to_start else None
        except BaseException:
            # The commit may have succeeded, but nothing was started: whatever this round claimed
            # or marked is released first in the next one.
            doubtful = [*uncommitted, *(one.job for one in (*claimed, *due))]
            self._uncommitted[source.name] = list({id(job): job for job in doubtful}.values())
            raise
        if risen is not None:
            fence.keep(risen)
        self._uncommitted[source.name] = []
        self._after_commit(source, round_, claimed)
        self._submit(source, round_.to_start, served)
        return len(claimed) + len(round_.to_start)

    def _submit(
        self, source: WorkSource, jobs: list[Job], served: Mapping[int, LeasedAccount]
    ) -> None:
        by_account: dict[int, list[Job]] = defaultdict(list)
        for job in jobs:
            job.past = fence.current_past()
            by_account[job.account_id].append(job)
        for account_id, its_jobs in by_account.items():
            leased = served[account_id]
            self._worker_pool.start(source, its_jobs, leased.account, leased.client, leased.login)

    def _mark_in_flight(
        self,
        source: WorkSource,
        due: list[ReservedJob],
        claimed: list[ReservedJob],
        served: Mapping[int, LeasedAccount],
    ) -> DispatchRound:
        """Mark in flight the rows whose slot has come.

        Of two claims of one row the newer one counts: the row had been queued again in between,
        so the older claim is void.
        """
        now = time.monotonic()
        newer = {reserved.job.subject for reserved in claimed}
        superseded = [one for one in self._reserved[source.name] if one.job.subject in newer]
        ready = [one for one in due if one.job.subject not in newer]
        ready += [reserved for reserved in claimed if reserved.slot_at <= now]
        startable = [one.job for one in ready if self._may_start(one, source, served, now)]
        stopped = [one.job for one in ready if not self._may_start(one, source, served, now)]
        if stopped:
            source.release(stopped, self._claim)
        marked = list(source.mark_in_flight(startable, self._claim)) if startable else []
        return DispatchRound(ready, superseded, marked)

    def _claim_guarded(self, served: LeasedAccount, source: WorkSource) -> list[ReservedJob]:
        """Claim for one account, and skip it in the next rounds if that fails.

        The round is rolled back, and the other accounts continue in the next one. A savepoint per
        account would cost two more queries in every round.
        """
        try:
            return self._claim_for(served, source)
        except Exception as error:
            if concerns_row(error):
                served.free_at = time.monotonic() + RETRY_AFTER_FAULT
                logger.error("No work could be claimed for account %s.", served.account.pk)
            raise

    def _due(self, source: WorkSource) -> list[ReservedJob]:
        """Reserved jobs whose slot has come. They stay reserved until the round is committed."""
        now = time.monotonic()
        return [reserved for reserved in self._reserved[source.name] if reserved.slot_at <= now]

    def _accounts_to_claim_for(
        self, source: WorkSource, served: Mapping[int, LeasedAccount]
    ) -> set[int]:
        backlogged = self._backlogged[source.name]
        may_query = self._pace.is_due(source, backlog=any(self._backlogged.values()))
        if not (backlogged or may_query):
            return set()
        able = {pk for pk, one in served.items() if self._may_serve(one, source)}
        known = backlogged & able
        return known | (self._find_accounts_with_work(source, able - known) if may_query else set())

    def _find_accounts_with_work(self, source: WorkSource, accounts: set[int]) -> set[int]:
        """Those of the accounts that have due rows."""
        if not accounts or self._pace.is_known_empty(source, accounts):
            return set()
        now = time.monotonic()
        found = source.accounts_with_work(accounts)
        if not found:
            self._pace.note_empty(source, accounts, now)
        return found

    def _may_serve(self, served: LeasedAccount, source: WorkSource) -> bool:
        if not issubclass(served.client, source.clients):
            return False
        if source.paid and served.account.is_paused:
            return False
        now = time.monotonic()
        if source.lane is Lane.BULK and not served.bulk_throttle.available_slots(
            served.account, now
        ):
            return False
        return self._capacity(served, source) > 0 and served.free_at <= now

    def _capacity(self, served: LeasedAccount, source: WorkSource) -> int:
        """How many more rows this loop may claim for an account.

        The limit is twice the calls in flight, so that no thread waits for the loop. If the loop
        is killed, at most that many calls are in doubt.
        """
        most = 2 * served.account.in_flight
        if source.lane is Lane.BULK:
            most = bulk_capacity(served.account.in_flight)
        return most - self._in_flight[served.account.pk]

    def _claim_for(self, served: LeasedAccount, source: WorkSource) -> list[ReservedJob]:
        """Claim as many rows as the account has capacity and slots for, and take a slot for each.

        The slots are counted before the claim and taken after it, so that none is wasted.
        """
        account = served.account
        wanted, furthest = self._capacity(served, source), SLOT_HORIZON
        if source.lane is Lane.BULK:
            wanted = min(wanted, served.bulk_throttle.available_slots(account, time.monotonic()))
            furthest = BULK_HORIZON
        forecast = rate_limits.forecast_slots(account, wanted, furthest)
        if not forecast.in_time:
            self._postpone(served, source, forecast.next_wait - furthest)
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

    def _postpone(self, served: LeasedAccount, source: WorkSource, seconds: float) -> None:
        """No slot is near enough for this lane, so wait. Other lanes may look further ahead."""
        until = time.monotonic() + max(seconds, 0)
        if source.lane is Lane.BULK:
            served.bulk_throttle.wait_until(until)
        else:
            served.free_at = until

    def _may_start(
        self,
        reserved: ReservedJob,
        source: WorkSource,
        served: Mapping[int, LeasedAccount],
        now: float,
    ) -> bool:
        leased = served.get(reserved.job.account_id)
        if leased is None or now - reserved.claimed_at > STALE_CLAIM:
            return False
        return not (source.paid and leased.account.is_paused)

    def _after_commit(
        self, source: WorkSource, round_: DispatchRound, claimed: list[ReservedJob]
    ) -> None:
        """Update the books after the commit: count the claimed rows, drop the settled ones."""
        for reserved in claimed:
            self._in_flight[reserved.job.account_id] += 1
        started = {id(job) for job in round_.to_start}
        released = [one for one in round_.ready if id(one.job) not in started]
        for reserved in (*released, *round_.superseded):
            self.mark_finished(reserved.job)
        done = {reserved.order for reserved in (*round_.ready, *round_.superseded)}
        remaining = (*self._reserved[source.name], *claimed)
        self._reserved[source.name] = [one for one in remaining if one.order not in done]

    def forget(self) -> None:
        """Forget all rows that are not marked in flight: they belong to another past."""
        for reserved in self._reserved.values():
            for one in reserved:
                self.mark_finished(one.job)
        for books in (self._reserved, self._uncommitted, self._backlogged):
            books.clear()

    def release_all(self, sources: list[WorkSource]) -> None:
        """Release all rows that are not marked in flight, because the loop shuts down."""
        for source in sources:
            reserved = self._reserved[source.name]
            if reserved:
                source.release([one.job for one in reserved], self._claim)
                for one in reserved:
                    self.mark_finished(one.job)
                reserved.clear()
