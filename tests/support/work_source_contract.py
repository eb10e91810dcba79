"""The contract that every registered work source keeps, tested with a movable clock.

The tests of a source inherit from `NeverRepeatedContract` or `RepeatableContract` and implement
`make_due`.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
import time_machine
from django.db import models, transaction
from django.utils import timezone

from providers.engine import heartbeats
from providers.engine.claims import ClaimedRows, ClaimedRowSource
from providers.engine.work_source import Job, Result
from providers.gateway.errors import GatewayError, NotDone, Refused
from providers.gateway.vocabulary import Reason
from providers.models import Account
from tests.support.threads import at_once

MANY = 20


class WorkSourceContract:
    source_class: ClassVar[type[ClaimedRowSource]]
    job_class: ClassVar[type[Job]]
    """The kind of job under test. A source may have several."""
    claim_lasts: ClassVar[int]
    """Seconds until a claimed row without a mark is queued again."""
    rows_at_once: ClassVar[int] = 3
    """How many due rows one account can have."""

    @abstractmethod
    def make_due(self, count: int) -> Account:
        """Create an account with this many due rows."""

    def sweep(self) -> None:
        self.source_class().sweep()

    @abstractmethod
    def assert_lost(self, account: Account, job: Job) -> None:
        """Fail unless the call of this job counts as lost."""

    # --- tools -----------------------------------------------------------------

    @pytest.fixture
    def clock(self) -> Iterator[time_machine.Traveller]:
        with time_machine.travel(datetime.now().astimezone(), tick=False) as clock:
            yield clock

    @property
    def rows(self) -> ClaimedRows[Any]:
        (rows,) = (one for one in self.source_class().rows if one.job is self.job_class)
        return rows

    def claim(self, account: Account, limit: int = MANY, loop: UUID | None = None) -> list[Job]:
        with transaction.atomic():
            jobs = self.source_class().claim(account, limit, loop or uuid4())
        assert all(isinstance(job, self.job_class) for job in jobs)
        return list(jobs)

    def mark(self, jobs: Sequence[Job], loop: UUID) -> list[Job]:
        with transaction.atomic():
            return list(self.source_class().mark_in_flight(jobs, loop))

    def row_of(self, job: Job) -> Any:
        row: models.Model = self.rows._rows().get(pk=job.row_id)
        return row

    def is_claimable(self, account: Account) -> bool:
        """Whether another loop finds due rows. They are released again."""
        loop = uuid4()
        jobs = self.claim(account, loop=loop)
        self.source_class().release(jobs, loop)
        return bool(jobs)

    def assert_free(self, job: Job) -> None:
        """Fail unless the row is as if no loop had ever taken it."""
        row, columns = self.row_of(job), self.rows._columns
        names = [columns.claim, columns.claimed_at]
        if not self.rows.may_repeat:
            names.append(columns.in_flight_at)
        assert {name: getattr(row, name) for name in names} == dict.fromkeys(names)
        if self.rows.states is not None:
            assert row.state == self.rows.states.queued

    def sweep_after(self, clock: time_machine.Traveller, seconds: float) -> None:
        clock.shift(timedelta(seconds=seconds))
        self.sweep()

    @pytest.fixture
    def account(self, db: None, clock: time_machine.Traveller) -> Account:
        return self.make_due(1)

    @pytest.fixture
    def loop(self) -> UUID:
        return uuid4()

    # --- one implementation ----------------------------------------------------

    def test_mark_and_release_are_shared_by_all_sources(self) -> None:
        source = self.source_class
        assert source.mark_in_flight is ClaimedRowSource.mark_in_flight
        assert source.release is ClaimedRowSource.release

    # --- the loop dies before the row is marked --------------------------------

    def test_claimed_row_of_a_dead_loop_is_queued_again(
        self, account: Account, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        (job,) = self.claim(account, loop=loop)
        self.sweep_after(clock, self.claim_lasts)
        assert not self.is_claimable(account)
        self.sweep_after(clock, 1)
        assert self.is_claimable(account)
        assert not self.rows.held(job, loop).exists()

    def test_loop_that_lost_its_claim_may_not_call(
        self, account: Account, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        jobs = self.claim(account, loop=loop)
        self.sweep_after(clock, self.claim_lasts + 1)
        assert self.mark(jobs, loop) == []

    def test_loop_that_lost_its_claim_leaves_the_row_to_the_next_one(
        self, account: Account, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        jobs, second = self.claim(account, loop=loop), uuid4()
        self.sweep_after(clock, self.claim_lasts + 1)
        (newer,) = self.claim(account, loop=second)

        assert self.mark(jobs, loop) == []
        self.source_class().release(jobs, loop)

        assert self.mark([newer], second) == [newer]

    # --- the loop dies after the row is marked ---------------------------------

    def test_marked_call_of_a_dead_loop_is_settled_after_120_s(
        self, account: Account, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        (job,) = self.mark(self.claim(account, loop=loop), loop)
        self.sweep_after(clock, 120)
        assert self.rows.held(job, loop).exists()
        self.sweep_after(clock, 1)
        self.assert_lost(account, job)

    def test_age_of_a_call_counts_from_its_mark(
        self, account: Account, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        jobs = self.claim(account, loop=loop)
        clock.shift(timedelta(seconds=10))
        (job,) = self.mark(jobs, loop)
        self.sweep_after(clock, 115)
        assert self.rows.held(job, loop).exists()
        assert job.marked_at == timezone.now() - timedelta(seconds=115)

    def test_living_loop_does_not_keep_the_call_of_a_dead_one(
        self, account: Account, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        (job,) = self.mark(self.claim(account, loop=loop), loop)
        clock.shift(timedelta(seconds=121))
        heartbeats.beat(uuid4())
        self.sweep()
        self.assert_lost(account, job)

    # --- release ---------------------------------------------------------------

    @pytest.mark.parametrize("marked", [False, True], ids=["claimed", "marked"])
    def test_released_row_is_queued_again(self, account: Account, loop: UUID, marked: bool) -> None:
        jobs = self.claim(account, loop=loop)
        if marked:
            assert self.mark(jobs, loop) == jobs
        self.source_class().release(jobs, loop)
        assert not self.rows.held(jobs[0], loop).exists()
        self.assert_free(jobs[0])
        assert self.is_claimable(account)

    def test_another_loop_cannot_release_a_row(self, account: Account, loop: UUID) -> None:
        jobs = self.claim(account, loop=loop)
        self.source_class().release(jobs, uuid4())
        assert self.mark(jobs, loop) == jobs

    # --- two loops -------------------------------------------------------------

    def test_another_loop_cannot_mark_a_row(self, account: Account, loop: UUID) -> None:
        jobs = self.claim(account, loop=loop)
        assert self.mark(jobs, uuid4()) == []

    def test_second_loop_finds_no_claimed_row(self, account: Account, loop: UUID) -> None:
        (job,) = self.claim(account, loop=loop)
        assert self.claim(account) == []
        assert self.rows.held(job, loop).exists()

    @pytest.mark.django_db(transaction=True)
    def test_two_loops_at_once_claim_disjoint_rows(self) -> None:
        account = self.make_due(self.rows_at_once)

        def claim_slowly() -> list[int]:
            with transaction.atomic():
                jobs = self.source_class().claim(account, MANY, uuid4())
                time.sleep(0.02)
            return [job.row_id for job in jobs]

        first, second = at_once(claim_slowly, 2)
        assert len(first) + len(second) == len({*first, *second}) == self.rows_at_once


class RepeatableContract(WorkSourceContract):
    """For calls that change nothing at the provider."""

    claim_lasts = 120

    def assert_lost(self, account: Account, job: Job) -> None:
        assert self.is_claimable(account)

    def test_call_may_be_repeated(self) -> None:
        assert self.rows.may_repeat
        assert not self.source_class.paid


class NeverRepeatedContract(WorkSourceContract):
    """For calls that cost money, spend a try or end an order."""

    claim_lasts = 15

    def assert_lost(self, account: Account, job: Job) -> None:
        row = self.row_of(job)
        assert (row.state, row.reason, row.claim) == (self.unknown, "cut_off", None)

    @property
    def unknown(self) -> str:
        assert self.rows.states is not None
        return self.rows.states.unknown

    def test_call_is_never_repeated(self) -> None:
        assert not self.rows.may_repeat

    def test_living_loop_keeps_its_call_for_ten_minutes(
        self, account: Account, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        (job,) = self.mark(self.claim(account, loop=loop), loop)
        for seconds in (121, 479):
            clock.shift(timedelta(seconds=seconds))
            heartbeats.beat(loop)
            self.sweep()
            assert self.rows.held(job, loop).exists()
        clock.shift(timedelta(seconds=1))
        heartbeats.beat(loop)
        self.sweep()
        self.assert_lost(account, job)

    def test_unknown_outcome_is_never_called_again(
        self, account: Account, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        (job,) = self.mark(self.claim(account, loop=loop), loop)
        self.sweep_after(clock, 121)
        for seconds in (1, 60, 3600, 24 * 3600):
            self.sweep_after(clock, seconds)
            assert self.source_class().accounts_with_work([account.pk]) == set()
            assert self.claim(account) == []
            row = self.row_of(job)
            assert row.state == self.unknown

    @pytest.mark.parametrize("error", [Refused, NotDone], ids=["refused", "not done"])
    def test_late_answer_settles_a_call_that_was_given_up(
        self,
        account: Account,
        loop: UUID,
        clock: time_machine.Traveller,
        error: Callable[[Reason], GatewayError],
    ) -> None:
        (job,) = self.mark(self.claim(account, loop=loop), loop)
        self.sweep_after(clock, 121)
        self.assert_lost(account, job)

        self.source_class().record([Result(job, error=error(Reason.CANNOT_TAKE))], loop)

        row = self.row_of(job)
        assert self.rows.states is not None
        assert row.state not in (self.unknown, self.rows.states.queued)
        assert row.reason == Reason.CANNOT_TAKE
        assert self.claim(account) == []

    def test_late_answer_leaves_a_newer_claim_alone(
        self, account: Account, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        (older,) = self.claim(account, loop=loop)
        self.sweep_after(clock, 16)
        (newer,) = self.mark(self.claim(account, loop=loop), loop)
        self.sweep_after(clock, 121)

        self.source_class().record([Result(older, error=Refused(Reason.CANNOT_TAKE))], loop)

        self.assert_lost(account, newer)

    def test_row_is_marked_once(self, account: Account, loop: UUID) -> None:
        jobs = self.claim(account, loop=loop)
        assert self.mark(jobs, loop) == jobs
        assert self.mark(jobs, loop) == []

    def test_earlier_claim_of_the_same_loop_holds_nothing(
        self, account: Account, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        (older,) = self.claim(account, loop=loop)
        self.sweep_after(clock, 16)
        (newer,) = self.claim(account, loop=loop)

        assert self.mark([older, newer], loop) == [newer]
        self.source_class().release([older], loop)

        assert not self.rows.held(older, loop).exists()
        assert self.rows.held(newer, loop).exists()
        assert self.claim(account) == []
