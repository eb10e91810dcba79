"""What the top of every page says about the queue and the engine."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Message
from providers.clock import database_now
from providers.models import Allowance, Lease, heartbeat
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.orders import make_order
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    return browser_of(member("viewer"))


def banner(browser: Client) -> str:
    return browser.get("/banner/").content.decode()


def leased(seconds_ago: float = -5.0) -> None:
    """The engine's leases run out that many seconds ago; by default they still hold."""
    Lease.objects.update(holder="somebody", expires_at=database_now() - seconds_ago)


def waiting_for(seconds: int) -> Message:
    since = timezone.now() - timedelta(seconds=seconds)
    return make_message(not_before=since, queued_at=since)


def test_all_is_quiet_while_the_queue_and_the_engine_are_alive(browser: Client) -> None:
    make_account()
    leased()
    heartbeat("queue")
    assert "The queue" not in banner(browser)


def test_a_queue_that_never_ran_is_said(browser: Client) -> None:
    assert "The queue has not run yet. New messages and orders will wait" in banner(browser)


def test_an_engine_without_a_lease_is_said_with_what_waits(browser: Client) -> None:
    heartbeat("queue")
    waiting_for(5)
    leased(seconds_ago=60)
    assert "The queue has not run since" in banner(browser)
    assert "1 message waits; none is lost. New ones will wait too." in banner(browser)


def test_a_queue_without_a_sign_of_life_is_said(browser: Client) -> None:
    make_account()
    leased()
    heartbeat("queue", at=timezone.now() - timedelta(minutes=3))
    assert "The queue has not run since" in banner(browser)


def test_the_time_of_a_take_over_is_nothing_to_speak_of(browser: Client) -> None:
    make_account()
    heartbeat("queue")
    leased(seconds_ago=1)
    assert "The queue" not in banner(browser)


def test_a_message_that_waits_too_long_is_said_though_the_engine_lives(browser: Client) -> None:
    heartbeat("queue")
    waiting_for(31)
    leased()
    assert "The queue is slow: 1 message has waited since" in banner(browser)


def test_a_message_of_a_paused_account_is_no_sign_of_a_slow_queue(browser: Client) -> None:
    heartbeat("queue")
    account = waiting_for(31).account
    account.paused_at = timezone.now()
    account.save()
    leased()
    assert "The queue" not in banner(browser)


def test_a_message_whose_provider_asked_for_patience_is_no_sign_either(browser: Client) -> None:
    heartbeat("queue")
    account = waiting_for(31).account
    Allowance.objects.filter(account=account).update(slow_until=database_now() + 30)
    leased()
    assert "The queue" not in banner(browser)


def test_messages_and_orders_are_counted_each(browser: Client) -> None:
    heartbeat("queue")
    waiting_for(5)
    make_order()
    make_order()
    leased(seconds_ago=60)
    assert "1 message and 2 orders wait; none is lost." in banner(browser)


def test_an_order_that_waits_too_long_is_said_though_the_engine_lives(browser: Client) -> None:
    heartbeat("queue")
    make_order(not_before=timezone.now() - timedelta(seconds=31))
    leased()
    assert "The queue is slow: 1 order has waited since" in banner(browser)


@pytest.mark.parametrize("state", ["placing", "refused"])
def test_an_order_behind_others_of_its_kind_is_no_sign_either(browser: Client, state: str) -> None:
    heartbeat("queue")
    order = make_order(not_before=timezone.now() - timedelta(seconds=31))
    make_order(order.account, state=state, answered_at=timezone.now())
    leased()
    assert "The queue" not in banner(browser)


def test_its_return_is_said(browser: Client) -> None:
    make_account()
    leased(seconds_ago=60)
    heartbeat("queue")
    banner(browser)
    leased()
    assert "The queue runs again since" in banner(browser)
