"""Giving out work where the database, a clock or a person comes between two steps."""

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
from providers.engine.dispatcher import Dispatcher, LeasedAccount
from providers.engine.loop import Loop
from providers.engine.work_source import Job, Lane
from providers.engine.worker_pool import WorkerPool
from providers.gateway.http.client import Deadlines
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.engine import run_engine

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


def put_back(message: Message) -> None:
    """What a sweep does to a claim that looks abandoned."""
    Message.objects.filter(pk=message.pk).update(state="queued", claim=None, claimed_at=None)


# --- one row claimed twice by one loop -------------------------------------------


@pytest.fixture
def claimed_twice() -> Iterator[tuple[Job, Job, UUID]]:
    """Both claims of one row by one loop, the older one first."""
    message, source, claim = make_message(), MessageSource(), uuid4()
    with transaction.atomic():
        (older,) = source.claim(message.account, 1, claim)
        put_back(message)
        (newer,) = source.claim(message.account, 1, claim)
        yield older, newer, claim


def test_of_two_claims_of_one_row_only_the_newer_hands_it_over(
    claimed_twice: tuple[Job, Job, UUID],
) -> None:
    older, newer, claim = claimed_twice
    assert MessageSource().mark_in_flight([older, newer], claim) == [newer]
    assert MessageSource().mark_in_flight([newer], claim) == []


def test_an_outdated_claim_does_not_give_back_a_row_that_is_being_sent(
    claimed_twice: tuple[Job, Job, UUID],
) -> None:
    older, newer, claim = claimed_twice
    MessageSource().mark_in_flight([newer], claim)
    MessageSource().release([older], claim)
    assert Message.objects.get().state == "sending"


def test_a_row_put_back_while_it_waits_for_its_slot_is_sent_once(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, per_second=2, in_flight=4)
    messages = [make_message(account) for _ in range(6)]
    loop = Loop(should_stop=lambda: False)
    for _ in range(400):
        loop.turn()
        # Another host whose clock is wrong takes every waiting claim for abandoned.
        Message.objects.filter(state="claimed").update(state="queued", claim=None)
        if Message.objects.filter(state="submitted").count() == len(messages):
            break
    loop._leave()
    assert sandbox.book.repeated("haorui") == []
    assert sandbox.book.count("haorui", "send") <= len(messages)


# --- faults of one account -----------------------------------------------------------


@pytest.mark.parametrize("order", ["broken first", "sound first"])
def test_an_account_that_cannot_be_read_stops_no_other(order: str, sandbox: Sandbox) -> None:
    """Also where the other was claimed for before the fault undid the round."""
    broken, sound = make_account("haorui", sandbox), make_account("haorui", sandbox)
    if order == "sound first":
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


def test_a_commit_whose_answer_was_lost_leaves_no_row_behind(
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


# --- pausing -------------------------------------------------------------------------


def test_a_pause_by_hand_stops_what_waits_for_a_thread(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, in_flight=2)
    sandbox.fault("slow", provider="haorui", calls=None, seconds=0.5)
    for _ in range(8):
        make_message(account)
    loop = Loop(should_stop=lambda: False)
    while not Message.objects.filter(state="sending").exists():
        loop.turn()
    accounts.pause(account, accounts.BY_HAND, "stop")
    loop._next_renewal = 0.0
    loop.turn()
    made = sandbox.book.count("haorui", "send")
    loop._leave()
    assert sandbox.book.count("haorui", "send") <= max(made, 2)
    assert Message.objects.filter(state="queued").count() >= 6


def test_what_a_loop_that_stops_has_not_begun_is_anybodys_again(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, in_flight=1)
    sandbox.fault("slow", provider="haorui", calls=None, seconds=0.5)
    for _ in range(4):
        make_message(account, queued_at=timezone.now() - timedelta(seconds=1))
    loop = Loop(should_stop=lambda: False)
    while not Message.objects.filter(state="sending").exists():
        loop.turn()
    loop._leave()
    states = set(Message.objects.values_list("state", flat=True))
    assert states <= {"queued", "submitted"}
    assert sandbox.book.count("haorui", "send") <= 1


# --- looking for work ------------------------------------------------------------------


class Empty(MessageSource):
    """Never has work, and counts how often it was asked."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane  # type: ignore[misc]
        self.asked = 0

    def accounts_with_work(self, accounts: Collection[int]) -> set[int]:
        self.asked += 1
        return set()


@pytest.mark.parametrize(("lane", "asked"), [(Lane.STAFF, 3), (Lane.ORDERS, 1), (Lane.BULK, 1)])
def test_only_what_staff_wait_for_is_looked_for_in_every_round(lane: Lane, asked: int) -> None:
    account = make_account()
    served = LeasedAccount(account, Haorui, accounts.decrypted_login_of(account))
    source, dispatcher = Empty(lane), Dispatcher(uuid4(), WorkerPool(1, Deadlines()))
    for _ in range(3):
        dispatcher.give_out(source, {account.pk: served})
    assert source.asked == asked


def test_while_an_account_is_busy_even_staff_are_not_looked_for_in_every_round(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = make_account("haorui", sandbox, in_flight=1)
    served = {account.pk: LeasedAccount(account, Haorui, accounts.decrypted_login_of(account))}
    for _ in range(3):
        make_message(account)
    now = time.monotonic()
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("providers.engine.dispatcher.time", clock)
    worker_pool = WorkerPool(1, Deadlines())
    dispatcher, source = Dispatcher(uuid4(), worker_pool), Empty(Lane.STAFF)
    other = make_account()
    idle = {other.pk: LeasedAccount(other, Haorui, accounts.decrypted_login_of(other))}
    dispatcher.give_out(MessageSource(), served)
    for _ in range(3):
        dispatcher.give_out(source, idle)
    worker_pool.close()
    assert source.asked == 1
    now += 0.06
    dispatcher.give_out(source, idle)
    assert source.asked == 2
