"""The loop dispatches, records, and survives failures around it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from messaging.engine.source import MessageSource
from messaging.models import Message
from providers import journal
from providers.engine import heartbeats, leases, loop, sweep_pace
from providers.engine import work_source as registry
from providers.engine.loop import Loop
from providers.engine.work_source import Job, Lane, Result, WorkSource
from providers.gateway.client import Client
from providers.models import Account, ApiCall, Lease
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.engine import run_engine, run_rounds, send

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


class FastClock:
    """The clock of the loop with short sleeps."""

    monotonic = staticmethod(time.monotonic)

    @staticmethod
    def sleep(seconds: float) -> None:
        time.sleep(min(seconds, 0.01))


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the second that the loop sleeps after a fault."""
    monkeypatch.setattr(loop, "time", FastClock)


def fail_once(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, error: Exception) -> None:
    """Make the first call of a function raise."""
    real: Callable[..., Any] = getattr(owner, name)
    calls = []

    def once(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        if len(calls) == 1:
            raise error
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, once)


# --- database failures -------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (MessageSource, "accounts_with_work"),
        (MessageSource, "claim"),
        (MessageSource, "mark_in_flight"),
        (MessageSource, "record"),
        (MessageSource, "sweep"),
        (journal, "write"),
        (leases, "renew"),
        (heartbeats, "beat"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_database_failure_loses_no_message_and_repeats_no_call(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    account = make_account("haorui", sandbox, in_flight=1)
    messages = [make_message(account), make_message(account)]
    fail_once(monkeypatch, owner, name, OperationalError("the server has gone away"))
    # A sweep releases rows that were claimed before the fault. Here it does so at once.
    monkeypatch.setattr("providers.engine.claims.ABANDONED_CLAIM", timedelta(seconds=-1))
    monkeypatch.setattr(sweep_pace, "SWEEP_EVERY", 0.1)

    for message in messages:
        assert send(message).state == "submitted"

    assert len(sandbox.book.entries()) == 2
    assert ApiCall.objects.count() == 2


def test_failing_source_does_not_stop_the_others(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_once(monkeypatch, MessageSource, "accounts_with_work", RuntimeError("a defect"))
    assert send(make_message(make_account("haorui", sandbox))).state == "submitted"


def test_each_round_sweeps_one_source_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    swept: list[str] = []
    for source in registry.sources():
        monkeypatch.setattr(source, "sweep", partial(swept.append, source.name))
    every = [source.name for source in registry.sources()]
    a_loop = Loop(lambda: True)
    for number in range(1, len(every) + 1):
        a_loop.run_round()
        assert swept == every[:number]
    a_loop.run_round()
    assert swept == every


def test_slow_rounds_still_sweep_every_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_pace, "SWEEP_EVERY", 0.0)
    swept: list[str] = []
    for source in registry.sources():
        monkeypatch.setattr(source, "sweep", partial(swept.append, source.name))
    a_loop = Loop(lambda: True)
    for _ in range(2 * len(registry.sources())):
        a_loop.run_round()
    assert Counter(swept) == {source.name: 2 for source in registry.sources()}


def test_accounts_are_only_queried_for_work_they_can_have(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, rents = make_account("haorui", sandbox), make_account("gosms", sandbox)
    queried: dict[str, set[int]] = {}
    for source in registry.sources():
        query = partial(_record_query, queried, source)
        monkeypatch.setattr(source, "accounts_with_work", query)
    Loop(lambda: True).run_round()
    assert queried["messages"] == queried["enquiries"] == {texts.pk, rents.pk}
    assert queried["orders"] == queried["cancels"] == queried["polls"] == {rents.pk}
    assert "code checks" not in queried


def _record_query(
    queried: dict[str, set[int]], source: WorkSource, accounts: Collection[int]
) -> set[int]:
    queried[source.name] = set(accounts)
    return set()


# --- faulty rows, accounts and jobs ------------------------------------------


def corrupt(message: Message, **columns: str) -> None:
    assignments = ", ".join(f"{name} = %s" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE messaging_message SET {assignments} WHERE id = %s",
            [*columns.values(), message.pk],
        )


@pytest.mark.parametrize(
    "columns",
    [
        {"sms_kind": "?"},
        {"encoding": "morse"},
        {"kind": "fax"},
        {"recipient": "nobody"},
        {"text": ""},
        {"sender_id": ""},
        {"kind": "own_code", "code": "no token"},
    ],
    ids=str,
)
def test_invalid_row_is_refused_and_blocks_no_other(
    sandbox: Sandbox, columns: dict[str, str]
) -> None:
    account = make_account("haorui", sandbox, in_flight=1)
    invalid, healthy = make_message(account), make_message(account)
    corrupt(invalid, **columns)

    assert send(healthy).state == "submitted"

    invalid.refresh_from_db()
    assert invalid.state == "refused"
    assert len(sandbox.book.entries()) == 1


def test_account_with_unreadable_secrets_sends_nothing_and_blocks_no_other(
    sandbox: Sandbox,
) -> None:
    locked = make_message(make_account("haorui", sandbox))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE providers_credential SET value = %s", ["no token"])
    healthy = make_message(make_account("haorui", sandbox))

    assert send(healthy).state == "submitted"
    assert (send(locked).state, locked.reason) == ("not_sent", "portal_fault")
    assert len(sandbox.book.entries()) == 1


def test_account_without_a_client_is_skipped(sandbox: Sandbox) -> None:
    orphan = make_message(make_account("haorui", sandbox))
    Account.objects.filter(pk=orphan.account_id).update(provider="carrier_pigeon")

    assert send(make_message(make_account("haorui", sandbox))).state == "submitted"

    orphan.refresh_from_db()
    assert orphan.state == "queued"


class FaultyJob(Job):
    def run(self, client: Client) -> object:
        raise ValueError("with a secret in its text")


class FaultySource(WorkSource):
    """One job whose code fails before anything is sent."""

    name = "faulty"
    lane = Lane.ORDERS
    paid = True
    never_repeated = True

    def __init__(self, account: Account) -> None:
        self.account = account
        self.results: list[Result] = []
        self.left = 1

    def accounts_with_work(self, accounts: Any) -> set[int]:
        return {self.account.pk} if self.left else set()

    def claim(self, account: Account, limit: int, claim: UUID) -> Sequence[Job]:
        self.left = 0
        return [FaultyJob(account.pk, "faulty:1", 1, timezone.now())]

    def mark_in_flight(self, jobs: Sequence[Job], claim: UUID) -> Sequence[Job]:
        return jobs

    def release(self, jobs: Sequence[Job], claim: UUID) -> None:
        self.left = 1

    def record(self, results: Sequence[Result], claim: UUID) -> None:
        self.results += results

    def sweep(self) -> None:
        pass


def test_job_that_fails_before_its_call_is_not_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    source = FaultySource(make_account())
    monkeypatch.setitem(registry._sources, source.name, source)

    run_engine(lambda: bool(source.results))

    (result,) = source.results
    assert result.error is not None
    assert (result.error.outcome, result.error.reason) == ("not_done", "portal_fault")
    assert "with a secret" not in caplog.text


# --- stopping ----------------------------------------------------------------


def test_stopping_loop_releases_rows_that_are_not_in_flight(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, per_second=2, per_minute=120)
    messages = [make_message(account) for _ in range(4)]
    seen = Message.objects.filter(state="claimed")

    Loop(should_stop=seen.exists).run()

    states = sorted(Message.objects.values_list("state", flat=True))
    assert set(states) == {"queued", "submitted"}
    assert states.count("submitted") == len(sandbox.book.entries())
    assert len(states) == len(messages)


def test_stopping_loop_releases_its_leases_and_removes_its_heartbeat() -> None:
    make_account()
    run_rounds()
    assert list(Lease.objects.values_list("holder", flat=True)) == [""]
    assert heartbeats.living_loops() == []


def test_stopping_loop_records_running_calls(sandbox: Sandbox) -> None:
    sandbox.fault("slow", provider="haorui", seconds=0.5)
    message = make_message(make_account("haorui", sandbox))

    Loop(should_stop=Message.objects.filter(state="sending").exists).run()

    message.refresh_from_db()
    assert message.state == "submitted"
    assert ApiCall.objects.count() == 1


def test_second_loop_is_on_standby(sandbox: Sandbox) -> None:
    message = make_message(make_account("haorui", sandbox))
    leases.renew(UUID(int=1))

    run_rounds()

    message.refresh_from_db()
    assert message.state == "queued"
