"""An account changes hands drained, and the next loop counts its last calls."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from messaging.models import Message
from providers.engine import hand_over, heartbeats, leases, loop
from providers.engine.hand_over import ages_of_last_calls
from providers.engine.loop import Loop
from providers.models import Account, ApiCall, Lease
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.wait_until import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = UUID(int=1)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.change_settings("haorui", report_delay=None)
        yield running


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let loops renew in every round and give accounts away at once."""
    monkeypatch.setattr(loop, "RENEW_EVERY", 0.0)
    monkeypatch.setattr(loop, "SOONEST_RENEWAL", 0.0)
    monkeypatch.setattr(hand_over, "SETTLE_TIME", 0.0)


def holders() -> list[str]:
    return list(Lease.objects.order_by("pk").values_list("holder", flat=True))


def test_surplus_accounts_are_freed_when_a_loop_joins() -> None:
    for _ in range(4):
        make_account()
    first = Loop(lambda: True)
    first.run_round()
    assert holders() == [first.claim.hex] * 4

    heartbeats.beat(OTHER, "another host")
    first.run_round()
    first.run_round()
    assert sorted(holders()) == ["", ""] + [first.claim.hex] * 2
    assert len(leases.renew(OTHER, "another host").held) == 2


def test_loop_keeps_its_surplus_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hand_over, "SETTLE_TIME", 60.0)
    make_account(), make_account()
    first = Loop(lambda: True)
    first.run_round()
    heartbeats.beat(OTHER, "another host")
    first.run_round()
    first.run_round()
    assert holders() == [first.claim.hex] * 2


def give_away(a_loop: Loop, account: Account) -> None:
    """Let a loop give away its only account, as if it were too many."""
    a_loop._next_renewal = float("inf")
    a_loop._hand_over.plan({account.pk}, 1, a_loop._dispatcher.in_flight_of, time.monotonic())


def test_account_is_freed_once_its_calls_in_flight_are_recorded(sandbox: Sandbox) -> None:
    sandbox.fault("slow", provider="haorui", seconds=0.5, calls=None)
    account = make_account("haorui", sandbox, in_flight=1)
    messages = [make_message(account) for _ in range(4)]
    first = Loop(lambda: True)
    wait_until(lambda: first.run_round() and sandbox.book.entries())
    give_away(first, account)

    while holders() == [first.claim.hex]:
        first.run_round()
        time.sleep(0.005)

    # The other rows that it had claimed wait for the next loop.
    states = Counter(Message.objects.values_list("state", flat=True))
    assert states.keys() == {"submitted", "queued"}
    assert states.total() == len(messages)
    assert states["submitted"] == ApiCall.objects.count() == len(sandbox.book.entries())


def test_account_that_does_not_drain_is_kept(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand_over, "LONGEST_DRAIN", 0.2)
    sandbox.fault("slow", provider="haorui", seconds=1.0, calls=None)
    account = make_account("haorui", sandbox, in_flight=1)
    for _ in range(3):
        make_message(account)
    first = Loop(lambda: True)
    wait_until(lambda: first.run_round() and sandbox.book.entries())
    give_away(first, account)
    assert first._hand_over.serving(first._served) == {}
    time.sleep(0.3)
    first._free_drained(time.monotonic())
    assert first._hand_over.serving(first._served).keys() == {account.pk}
    assert holders() == [first.claim.hex]


def test_loop_that_stops_has_no_share() -> None:
    make_account()
    heartbeats.beat(OTHER)
    assert heartbeats.living_loops() == [OTHER]
    assert heartbeats.sharing_loops() == {}


def test_loop_takes_accounts_of_a_loop_that_stopped() -> None:
    make_account(), make_account()
    heartbeats.beat(OTHER, "another host")
    leases.renew(OTHER, "another host")
    heartbeats.beat(OTHER)
    leases.release(OTHER)
    assert len(leases.renew(UUID(int=2), "a host").held) == 2


# --- what the next loop counts ------------------------------------------------


def record_call(account: Account, seconds_ago: float) -> None:
    ApiCall.objects.create(
        account=account,
        operation="send",
        started_at=timezone.now() - timedelta(seconds=seconds_ago),
        duration=0.1,
        method="POST",
        url="",
        outcome="done",
    )


def test_calls_of_the_last_minute_count_no_older_than_they_are() -> None:
    account = make_account()
    for seconds_ago in (90.0, 30.0, 10.0):
        record_call(account, seconds_ago)
    ages = ages_of_last_calls(account, 0.0, cut_off=False)
    assert ages == pytest.approx([28.0, 8.0], abs=0.5)


def test_call_counts_as_older_than_the_time_without_a_holder() -> None:
    account = make_account()
    for seconds_ago in (2.0, 1.0):
        record_call(account, seconds_ago)
    # The clock of the former holder may be ahead, but its calls had ended by then.
    assert ages_of_last_calls(account, 1.0, cut_off=False) == pytest.approx([2.0, 1.0], abs=0.2)


def test_loop_that_was_cut_off_counts_as_having_more_calls() -> None:
    account = make_account(in_flight=4, per_minute=60)
    assert ages_of_last_calls(account, 0.5, cut_off=True) == [0.5] * 4
    account.per_minute = 5
    assert ages_of_last_calls(account, 0.5, cut_off=True) == [0.5]


def test_next_loop_waits_until_the_last_calls_are_a_second_old(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, per_second=3, per_minute=1000)
    released_at = time.monotonic()
    for _ in range(3):
        record_call(account, 0.0)
    message = make_message(account)
    Lease.objects.all().delete()
    second = Loop(lambda: True)
    wait_until(lambda: second.run_round() and sandbox.book.entries())
    (call,) = sandbox.book.entries()
    assert call.monotonic - released_at >= 1.0
    assert message.pk


def test_no_call_begins_after_the_leases_expired(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox)
    message = make_message(account)
    first = Loop(lambda: True)
    first._renew(time.monotonic())
    # Renewals no longer succeed, as in a loop whose database hangs.
    first._next_renewal = float("inf")
    first._worker_pool.may_begin_until = time.monotonic()
    for _ in range(20):
        first.run_round()
        time.sleep(0.01)
    assert sandbox.book.entries() == []

    first._renew(time.monotonic())
    wait_until(lambda: first.run_round() and sandbox.book.entries())
    message.refresh_from_db()
    assert message.state in ("sending", "submitted")
