"""Dispatching when the database, a clock or staff interfere between two steps."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from messaging.engine.source import MessageSource
from messaging.models import Message
from providers import accounts
from providers.clients.haorui import Haorui
from providers.engine.dispatch_round import LeasedAccount
from providers.engine.dispatcher import Dispatcher
from providers.engine.loop import Loop
from providers.engine.work_source import Job, Lane
from providers.engine.worker_pool import WorkerPool
from providers.gateway.http.client import Deadlines
from providers.hold import fence
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.engine import is_settled, run_engine

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


def queue_again(message: Message) -> None:
    """Do what a sweep does to a claim that looks abandoned."""
    Message.objects.filter(pk=message.pk).update(state="queued", claim=None, claimed_at=None)


# --- one row claimed twice by one loop -------------------------------------------


@pytest.fixture
def claimed_twice() -> Iterator[tuple[Job, Job, UUID]]:
    """Both claims of one row by one loop, the older one first."""
    message, source, claim = make_message(), MessageSource(), uuid4()
    with transaction.atomic():
        (older,) = source.claim(message.account, 1, claim)
        queue_again(message)
        (newer,) = source.claim(message.account, 1, claim)
        yield older, newer, claim


def test_only_the_newer_of_two_claims_is_marked_in_flight(
    claimed_twice: tuple[Job, Job, UUID],
) -> None:
    older, newer, claim = claimed_twice
    assert MessageSource().mark_in_flight([older, newer], claim) == [newer]
    assert MessageSource().mark_in_flight([newer], claim) == []


def test_older_claim_cannot_release_a_row_in_flight(
    claimed_twice: tuple[Job, Job, UUID],
) -> None:
    older, newer, claim = claimed_twice
    MessageSource().mark_in_flight([newer], claim)
    MessageSource().release([older], claim)
    assert Message.objects.get().state == "sending"


def test_row_queued_again_before_its_slot_is_sent_once(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, per_second=2, in_flight=4)
    messages = [make_message(account) for _ in range(6)]
    loop = Loop(should_stop=lambda: False)
    for _ in range(400):
        loop.run_round()
        # Another host with a wrong clock takes every waiting claim for abandoned.
        Message.objects.filter(state="claimed").update(state="queued", claim=None)
        if Message.objects.filter(state="submitted").count() == len(messages):
            break
    loop._shut_down()
    assert sandbox.book.repeated("haorui") == []
    assert sandbox.book.count("haorui", "send") <= len(messages)


# --- faults of one account -----------------------------------------------------------


@pytest.mark.parametrize("faulty_first", [True, False], ids=["faulty first", "healthy first"])
def test_unreadable_account_does_not_stop_others(faulty_first: bool, sandbox: Sandbox) -> None:
    """It holds as well if rows of the healthy account were claimed before the rollback."""
    broken, sound = make_account("haorui", sandbox), make_account("haorui", sandbox)
    if not faulty_first:
        broken, sound = sound, broken
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE providers_callbacktoken SET value = 'nonsense' WHERE account_id = %s",
            [broken.pk],
        )
    stuck, message = make_message(broken), make_message(sound)

    def is_sent() -> bool:
        message.refresh_from_db()
        return message.state == "submitted"

    run_engine(is_sent)
    stuck.refresh_from_db()
    assert stuck.state == "queued"
    assert sandbox.book.count("haorui", "send") == 1


def test_commit_with_a_lost_answer_strands_no_row(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = make_message(make_account("haorui", sandbox))
    lost: list[str] = []

    @contextmanager
    def atomic() -> Iterator[None]:
        with transaction.atomic():
            yield
        message.refresh_from_db()
        if message.state == "sending" and not lost and not connection.in_atomic_block:
            lost.append("the answer to the commit")
            raise OperationalError("the server closed the connection")

    monkeypatch.setattr("providers.engine.dispatcher.transaction", SimpleNamespace(atomic=atomic))

    def is_sent() -> bool:
        message.refresh_from_db()
        return message.state == "submitted"

    run_engine(is_sent)
    assert lost
    assert sandbox.book.count("haorui", "send") == 1


def test_lost_answer_to_the_mark_of_an_earlier_claim_strands_no_row(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account("haorui", sandbox, per_second=4, per_minute=240)
    messages = [make_message(account) for _ in range(5)]
    lost: list[str] = []

    def is_mark_of_an_earlier_claim() -> bool:
        marked = Message.objects.filter(state="sending").values_list("claimed_at", "handed_over_at")
        return any(
            mark - claim > timedelta(seconds=0.1) for claim, mark in marked if claim and mark
        )

    @contextmanager
    def atomic() -> Iterator[None]:
        with transaction.atomic():
            yield
        if not lost and not connection.in_atomic_block and is_mark_of_an_earlier_claim():
            lost.append("the answer to the commit")
            raise OperationalError("the server closed the connection")

    monkeypatch.setattr("providers.engine.dispatcher.transaction", SimpleNamespace(atomic=atomic))
    run_engine(lambda: is_settled(*messages), at_most=30)

    assert lost
    assert {message.state for message in messages} == {"submitted"}
    assert sandbox.book.count("haorui", "send") == len(messages)


# --- pausing -------------------------------------------------------------------------


def test_manual_pause_stops_calls_waiting_for_a_thread(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, in_flight=2)
    # So slow that the first two calls are still in flight at the pause.
    sandbox.fault("slow", provider="haorui", calls=None, seconds=3)
    for _ in range(8):
        make_message(account)
    loop = Loop(should_stop=lambda: False)
    while not Message.objects.filter(state="sending").exists():
        loop.run_round()
    accounts.pause(account, accounts.BY_HAND, "stop")
    loop._next_renewal = 0.0
    loop.run_round()
    loop._shut_down()
    assert sandbox.book.count("haorui", "send") <= 2
    assert Message.objects.filter(state="queued").count() >= 6


def test_stopping_loop_releases_calls_that_have_not_begun(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, in_flight=1)
    sandbox.fault("slow", provider="haorui", calls=None, seconds=0.5)
    for _ in range(4):
        make_message(account, queued_at=timezone.now() - timedelta(seconds=1))
    loop = Loop(should_stop=lambda: False)
    while not Message.objects.filter(state="sending").exists():
        loop.run_round()
    loop._shut_down()
    states = set(Message.objects.values_list("state", flat=True))
    assert states <= {"queued", "submitted"}
    assert sandbox.book.count("haorui", "send") <= 1


# --- queries for work ------------------------------------------------------------------


class EmptySource(MessageSource):
    """Never has work, and counts the queries."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane  # type: ignore[misc]
        self.queries = 0

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        self.queries += 1
        return set()


@pytest.mark.parametrize(("lane", "queries"), [(Lane.STAFF, 3), (Lane.ORDERS, 1), (Lane.BULK, 1)])
def test_only_the_staff_lane_is_queried_in_every_round(lane: Lane, queries: int) -> None:
    account = make_account()
    served = LeasedAccount(account, Haorui, accounts.decrypted_login_of(account))
    source, dispatcher = EmptySource(lane), Dispatcher(uuid4(), WorkerPool(1, Deadlines()))
    for _ in range(3):
        dispatcher.dispatch(source, {account.pk: served})
    assert source.queries == queries


def test_backlog_spaces_out_queries_of_the_staff_lane(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account("haorui", sandbox, in_flight=1)
    served = {account.pk: LeasedAccount(account, Haorui, accounts.decrypted_login_of(account))}
    for _ in range(3):
        make_message(account)
    now = time.monotonic()
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("providers.engine.dispatcher.time", clock)
    monkeypatch.setattr("providers.engine.query_pace.time", clock)
    worker_pool = WorkerPool(1, Deadlines())
    dispatcher, source = Dispatcher(uuid4(), worker_pool), EmptySource(Lane.STAFF)
    other = make_account()
    idle = {other.pk: LeasedAccount(other, Haorui, accounts.decrypted_login_of(other))}
    fence.look()
    dispatcher.dispatch(MessageSource(), served)
    for _ in range(3):
        dispatcher.dispatch(source, idle)
    worker_pool.close()
    assert source.queries == 1
    now += 0.06
    dispatcher.dispatch(source, idle)
    assert source.queries == 2
