"""The columns that `ClaimedRows` writes besides states. The sources' contract has the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
import time_machine
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from providers.engine import heartbeats
from providers.engine.claims import ClaimedRows, ClaimedRowSource, ClaimStates, Columns
from providers.engine.work_source import Job, Lane, Result
from providers.gateway.client import Client
from providers.models import Account, Enquiry
from providers.states import ENQUIRY_STATES, EnquiryState
from rentals.models import Order
from rentals.states import ORDER_STATES, OrderState
from tests.factories.accounts import make_account
from tests.factories.orders import make_order

S = OrderState
LOST_WORDS = "its loop died"


@dataclass(slots=True)
class OrderJob(Job):
    def run(self, client: Client) -> object:
        raise NotImplementedError


@dataclass(slots=True)
class OtherJob(OrderJob):
    """A job for rows of another kind."""


class Orders(ClaimedRows[Order]):
    def __init__(self) -> None:
        self.lost: list[tuple[list[int], datetime]] = []
        super().__init__(
            OrderJob,
            lambda: Order.objects.filter(state__in=(S.CLAIMED, S.PLACING)),
            ClaimStates(ORDER_STATES, S.QUEUED, S.CLAIMED, S.PLACING, S.UNKNOWN),
            columns=Columns(changed_at="changed_at"),
            lost_changes=lambda now: {"words": LOST_WORDS, "answered_at": now},
            on_lost=lambda ids, now: self.lost.append((list(ids), now)),
        )

    def claim_now(self, *orders: Order, loop: UUID, **changes: Any) -> list[Job]:
        now = timezone.now()
        claimed = self.claim(orders, loop, now, **changes)
        return [OrderJob(row.account_id, f"order:{row.pk}", row.pk, now) for row in claimed]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def orders() -> Orders:
    return Orders()


@pytest.fixture
def loop() -> UUID:
    return uuid4()


def reloaded(order: Order) -> Order:
    """The current row of the order."""
    return Order.objects.get(pk=order.pk)


@pytest.mark.django_db
class TestColumns:
    def test_claim_writes_the_changes_of_its_source(self, orders: Orders, loop: UUID) -> None:
        order = make_order()
        orders.claim_now(order, loop=loop, words="first look")
        assert reloaded(order).words == "first look"

    def test_every_move_updates_the_change_time(
        self, orders: Orders, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        order = make_order()
        seen = [reloaded(order).changed_at]

        def assert_changed_now() -> None:
            seen.append(reloaded(order).changed_at)
            assert seen[-1] == timezone.now() > seen[-2]
            clock.shift(timedelta(seconds=1))

        clock.shift(timedelta(seconds=1))
        jobs = orders.claim_now(order, loop=loop)
        assert_changed_now()
        orders.mark_in_flight(jobs, loop)
        assert_changed_now()
        orders.release(jobs, loop)
        assert_changed_now()
        orders.mark_in_flight(orders.claim_now(order, loop=loop), loop)
        clock.shift(timedelta(seconds=121))
        orders.sweep(timezone.now())
        assert reloaded(order).state == S.UNKNOWN
        assert_changed_now()

    def test_abandoned_claim_leaves_nothing_behind(
        self, orders: Orders, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        order = make_order()
        orders.claim_now(order, loop=loop)
        clock.shift(timedelta(seconds=16))
        orders.sweep(timezone.now())
        row = reloaded(order)
        assert (row.state, row.claim, row.claimed_at) == (S.QUEUED, None, None)
        assert row.changed_at == timezone.now()

    def test_rows_of_one_round_are_marked_each_by_its_own_claim(
        self, orders: Orders, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        account = make_account("gosms")
        first, second = make_order(account), make_order(account, region="PH")
        jobs = orders.claim_now(first, loop=loop)
        clock.shift(timedelta(seconds=1))
        jobs += orders.claim_now(second, loop=loop)
        assert orders.mark_in_flight(jobs, loop) == jobs
        orders.release(jobs, loop)
        assert {reloaded(first).state, reloaded(second).state} == {S.QUEUED}


@pytest.mark.django_db
def test_mark_and_release_leave_other_rows_of_the_claim_alone(
    orders: Orders, loop: UUID, clock: time_machine.Traveller
) -> None:
    account = make_account("gosms")
    first, second = make_order(account), make_order(account, region="PH")
    jobs = orders.claim_now(first, second, loop=loop)
    assert orders.mark_in_flight(jobs[:1], loop) == jobs[:1]
    assert (reloaded(first).state, reloaded(second).state) == (S.PLACING, S.CLAIMED)
    assert orders.held(jobs[0], loop).get() == first
    orders.release(jobs[:1], loop)
    assert (reloaded(first).state, reloaded(second).state) == (S.QUEUED, S.CLAIMED)


@pytest.mark.django_db
class TestLostCalls:
    def test_lost_call_gets_the_changes_of_its_source_and_is_reported(
        self, orders: Orders, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        order = make_order()
        orders.mark_in_flight(orders.claim_now(order, loop=loop), loop)
        clock.shift(timedelta(seconds=121))
        orders.sweep(now := timezone.now())
        row = reloaded(order)
        assert (row.reason, row.words, row.answered_at) == ("cut_off", LOST_WORDS, now)
        assert orders.lost == [([order.pk], now)]

    def test_only_the_call_of_the_dead_loop_is_lost(
        self, orders: Orders, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        account, living = make_account("gosms"), uuid4()
        dead_row, living_row = make_order(account), make_order(account, region="PH")
        orders.mark_in_flight(orders.claim_now(dead_row, loop=loop), loop)
        orders.mark_in_flight(orders.claim_now(living_row, loop=living), living)
        clock.shift(timedelta(seconds=121))
        heartbeats.beat(living)
        orders.sweep(timezone.now())
        assert (reloaded(dead_row).state, reloaded(living_row).state) == (S.UNKNOWN, S.PLACING)
        assert [ids for ids, _ in orders.lost] == [[dead_row.pk]]

    def test_abandoned_claim_is_not_reported_as_lost(
        self, orders: Orders, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        orders.claim_now(make_order(), loop=loop)
        clock.shift(timedelta(hours=1))
        orders.sweep(timezone.now())
        assert orders.lost == []

    def test_answered_call_that_kept_its_claim_is_not_lost(
        self, orders: Orders, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        orders._held_rows = lambda: Order.objects.filter(claim__isnull=False)
        order = make_order()
        orders.mark_in_flight(orders.claim_now(order, loop=loop), loop)
        Order.objects.update(state=S.PENDING)
        clock.shift(timedelta(hours=1))
        orders.sweep(timezone.now())
        assert (reloaded(order).state, reloaded(order).reason, orders.lost) == (S.PENDING, "", [])

    def test_lost_call_is_settled_without_source_changes(
        self, loop: UUID, clock: time_machine.Traveller
    ) -> None:
        full = Orders()
        plain: ClaimedRows[Order] = ClaimedRows(OrderJob, full._held_rows, full.states)
        order = make_order()
        full.mark_in_flight(full.claim_now(order, loop=loop), loop)
        clock.shift(timedelta(seconds=121))
        plain.sweep(timezone.now())
        assert reloaded(order).state == S.UNKNOWN

    def test_sweep_without_findings_makes_one_query(
        self, orders: Orders, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        make_order()
        with django_assert_num_queries(1):
            orders.sweep(timezone.now())


@pytest.mark.django_db
class TestTwoLoopsWithTheSameCandidates:
    """Both loops read the row before either claims it."""

    def test_second_loop_claims_nothing(self, orders: Orders, loop: UUID) -> None:
        order = make_order()
        (job,) = orders.claim_now(order, loop=loop)
        assert orders.claim_now(order, loop=uuid4()) == []
        assert orders.held(job, loop).exists()

    def test_second_loop_claims_nothing_without_states(self, loop: UUID) -> None:
        rows: ClaimedRows[Order] = ClaimedRows(
            OrderJob,
            Order.objects.all,
            columns=Columns(claim="poll_claim", claimed_at="poll_claimed_at"),
        )
        order, now = make_order(), timezone.now()
        assert rows.claim([order], loop, now) == [order]
        assert rows.claim([order], uuid4(), now) == []
        assert reloaded(order).poll_claim == loop


@pytest.mark.django_db
def test_answered_row_is_not_held_although_it_keeps_its_claim(loop: UUID) -> None:
    rows: ClaimedRows[Enquiry] = ClaimedRows(
        OrderJob,
        Enquiry.objects.all,
        ClaimStates(ENQUIRY_STATES, EnquiryState.QUEUED, EnquiryState.CLAIMED),
    )
    now = timezone.now()
    enquiry = Enquiry.objects.create(
        account=make_account("gosms"),
        kind=Enquiry.Kind.BALANCE,
        state=EnquiryState.ANSWERED,
        claim=loop,
        claimed_at=now,
    )
    job = OrderJob(enquiry.account_id, "", enquiry.pk, now)
    assert not rows.held(job, loop).exists()
    assert rows.mark_in_flight([job], loop) == []


# --- a source of several kinds of rows ---------------------------------------


class Recorder:
    """Replaces the rows of one kind and records the calls."""

    def __init__(self, job: type[Job]) -> None:
        self.job = job
        self.calls: list[tuple[str, object]] = []

    def mark_in_flight(self, jobs: Sequence[Job], loop: UUID) -> list[Job]:
        self.calls.append(("mark", list(jobs)))
        return list(jobs)

    def release(self, jobs: Sequence[Job], loop: UUID) -> None:
        self.calls.append(("release", list(jobs)))

    def sweep(self, now: datetime) -> None:
        self.calls.append(("sweep", now))


class MixedSource(ClaimedRowSource):
    name: ClassVar[str] = "mixed"
    lane: ClassVar[Lane] = Lane.ORDERS
    paid: ClassVar[bool] = False

    def __init__(self) -> None:
        self.first, self.second = Recorder(FirstJob), Recorder(OtherJob)
        self.rows: Any = (self.first, self.second)
        self.tidied: list[datetime] = []

    def tidy(self, now: datetime) -> None:
        self.tidied.append(now)

    def accounts_with_work(self, accounts: object) -> set[int]:
        raise NotImplementedError

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        raise NotImplementedError

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        raise NotImplementedError


@dataclass(slots=True)
class FirstJob(Job):
    def run(self, client: Client) -> object:
        raise NotImplementedError


class TestSourceOfSeveralKinds:
    def test_each_kind_of_row_gets_its_own_jobs(self, loop: UUID) -> None:
        source, now = MixedSource(), timezone.now()
        one, two = FirstJob(1, "", 7, now), OtherJob(1, "", 7, now)
        assert source.mark_in_flight([two, one], loop) == [one, two]
        source.release([one, two], loop)
        assert source.first.calls == [("mark", [one]), ("release", [one])]
        assert source.second.calls == [("mark", [two]), ("release", [two])]

    def test_rows_without_jobs_are_not_touched(self, loop: UUID) -> None:
        source = MixedSource()
        assert source.mark_in_flight([OtherJob(1, "", 7, timezone.now())], loop)
        assert source.first.calls == []

    def test_sweep_settles_every_kind_at_the_same_time_and_tidies(self) -> None:
        source = MixedSource()
        source.sweep()
        (now,) = source.tidied
        assert source.first.calls == source.second.calls == [("sweep", now)]
