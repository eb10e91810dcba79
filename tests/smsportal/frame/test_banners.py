"""The banners about the queue and the engine."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from core.times import short_time
from messaging.models import Message
from providers.clock import database_now
from providers.engine import leases
from providers.engine.heartbeats import RESUMED, resumed_at
from providers.models import Allowance, Lease, heartbeat
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.orders import make_order
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    return browser_of(member("viewer"))


def read_banners(browser: Client) -> str:
    return browser.get("/banner/").content.decode()


def set_leases(seconds_ago: float = -5.0) -> None:
    """Make the engine's leases expire that many seconds ago. By default they are valid."""
    Lease.objects.update(holder="somebody", expires_at=database_now() - seconds_ago)


def make_waiting_message(seconds: int) -> Message:
    since = timezone.now() - timedelta(seconds=seconds)
    return make_message(not_before=since, queued_at=since)


def test_no_banner_while_queue_and_engine_are_alive(browser: Client) -> None:
    make_account()
    set_leases()
    heartbeat("queue")
    assert "The queue" not in read_banners(browser)


def test_queue_that_never_ran_is_announced(browser: Client) -> None:
    assert "The queue has not started yet. New messages and orders will wait" in read_banners(
        browser
    )


def test_engine_without_a_lease_is_announced_with_the_backlog(browser: Client) -> None:
    heartbeat("queue")
    make_waiting_message(5)
    set_leases(seconds_ago=60)
    assert "The queue has not run since" in read_banners(browser)
    assert "1 message is waiting; nothing is lost. New ones will wait too." in read_banners(browser)


def test_queue_without_a_heartbeat_is_announced(browser: Client) -> None:
    make_account()
    set_leases()
    heartbeat("queue", at=timezone.now() - timedelta(minutes=3))
    assert "The queue has not run since" in read_banners(browser)


def test_lease_that_has_just_expired_is_not_announced(browser: Client) -> None:
    make_account()
    heartbeat("queue")
    set_leases(seconds_ago=1)
    assert "The queue" not in read_banners(browser)


def test_overdue_message_is_announced_while_the_engine_is_alive(browser: Client) -> None:
    heartbeat("queue")
    make_waiting_message(31)
    set_leases()
    assert "The queue is slow: 1 message has been waiting since" in read_banners(browser)


def test_message_of_a_paused_account_does_not_count_as_overdue(browser: Client) -> None:
    heartbeat("queue")
    account = make_waiting_message(31).account
    account.paused_at = timezone.now()
    account.save()
    set_leases()
    assert "The queue" not in read_banners(browser)


def test_message_of_a_slowed_account_does_not_count_as_overdue(browser: Client) -> None:
    heartbeat("queue")
    account = make_waiting_message(31).account
    Allowance.objects.filter(account=account).update(slow_until=database_now() + 30)
    set_leases()
    assert "The queue" not in read_banners(browser)


def test_messages_and_orders_are_counted_separately(browser: Client) -> None:
    heartbeat("queue")
    make_waiting_message(5)
    make_order()
    make_order()
    set_leases(seconds_ago=60)
    assert "1 message and 2 orders are waiting; nothing is lost." in read_banners(browser)


def test_overdue_order_is_announced_while_the_engine_is_alive(browser: Client) -> None:
    heartbeat("queue")
    make_order(not_before=timezone.now() - timedelta(seconds=31))
    set_leases()
    assert "The queue is slow: 1 order has been waiting since" in read_banners(browser)


@pytest.mark.parametrize("state", ["placing", "refused"])
def test_order_behind_others_of_its_account_does_not_count_as_overdue(
    browser: Client, state: str
) -> None:
    heartbeat("queue")
    order = make_order(not_before=timezone.now() - timedelta(seconds=31))
    make_order(order.account, state=state, answered_at=timezone.now())
    set_leases()
    assert "The queue" not in read_banners(browser)


def test_recovery_is_announced(browser: Client) -> None:
    make_account()
    set_leases(seconds_ago=60)
    heartbeat("queue")
    read_banners(browser)
    set_leases()
    assert "The queue has been running again since" in read_banners(browser)


def test_recovery_names_the_latest_restart_though_no_page_saw_the_second_gap(
    browser: Client,
) -> None:
    make_account()
    set_leases(seconds_ago=60)
    heartbeat("queue")
    read_banners(browser)
    earlier = timezone.now() - timedelta(minutes=4)
    cache.set("queue-was-silent", earlier.timestamp() - 1)
    heartbeat(RESUMED, at=earlier)
    set_leases()
    assert f"running again since {short_time(earlier)}" in read_banners(browser)
    set_leases(seconds_ago=60)
    leases.renew(uuid4())
    again = resumed_at()
    assert again is not None
    assert again > earlier
    assert f"running again since {short_time(again)}" in read_banners(browser)


def test_recovery_that_is_looked_at_late_is_not_announced_as_new(browser: Client) -> None:
    make_account()
    set_leases(seconds_ago=60)
    heartbeat("queue")
    read_banners(browser)
    leases.renew(uuid4())
    resumed = timezone.now() - timedelta(minutes=20)
    heartbeat(RESUMED, at=resumed)
    cache.set("queue-was-silent", resumed.timestamp() - 60)
    assert "running again" not in read_banners(browser)


def test_take_over_without_a_gap_is_no_restart(browser: Client) -> None:
    make_account()
    heartbeat("queue")
    set_leases(seconds_ago=1)
    leases.renew(uuid4())
    assert resumed_at() is None
