"""Many pending orders are polled by the provider's list, over real HTTP."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from providers.engine.work_source import Result
from providers.gateway.errors import OutcomeUnknown
from providers.gateway.vocabulary import OrderState, Reason, Rental, RentalPage
from providers.models import Account
from rentals.engine.list_poll import Listing, Round, RoundJob
from rentals.engine.list_poll_source import PollSource
from rentals.models import Order, Watch
from sandbox.gosms import GoSMS
from sandbox.rented import Channel
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.orders import make_rented
from tests.support.engine import run_engine

pytestmark = pytest.mark.django_db(transaction=True)


def gosms_channel(sandbox: Sandbox) -> tuple[GoSMS, Channel]:
    provider = sandbox.providers["gosms"]
    assert isinstance(provider, GoSMS)
    channel = next(iter(provider.accounts.values()))
    assert isinstance(channel, Channel)
    return provider, channel


def rent_at_provider(
    sandbox: Sandbox, account: Account, count: int, **fields: object
) -> list[Order]:
    """Pending orders that exist both at the provider and here."""
    provider, channel = gosms_channel(sandbox)
    with provider.lock:
        theirs = [
            provider.rentals.place(channel, "whatsapp", "ID", provider.settings.prices["ID"])
            for _ in range(count)
        ]
    return [
        make_rented(account, provider_id=str(one.order_id), phone=one.phone, **fields)
        for one in theirs
    ]


def test_list_brings_codes_and_lookups_bring_texts(sandbox: Sandbox) -> None:
    account = make_account("gosms", sandbox)
    orders = rent_at_provider(sandbox, account, 25, next_poll_at=timezone.now())
    for order in orders[5:9]:
        sandbox.deliver_sms(order.provider_id, f"Your code is 48{order.provider_id}")

    complete = Order.objects.filter(state="received").exclude(content="").exclude(code="")
    run_engine(lambda: complete.count() == 4 and not complete.exclude(next_poll_at=None).exists())

    assert {order.provider_id for order in complete} == {one.provider_id for one in orders[5:9]}
    assert Watch.objects.get().by_list
    assert len(sandbox.book.entries("gosms", "get_order")) == 4
    assert Order.objects.filter(state="pending").count() == 21


def test_polling_returns_to_lookups_with_fewer_pending_orders(sandbox: Sandbox) -> None:
    account = make_account("gosms", sandbox)
    orders = rent_at_provider(sandbox, account, 11, next_poll_at=timezone.now())
    sandbox.deliver_sms(orders[0].provider_id, "Your code is 482913")
    run_engine(Order.objects.filter(state="received").exists)
    run_engine(Watch.objects.filter(by_list=False).exists)
    polled = Order.objects.filter(state="pending", polled_at__isnull=False)
    run_engine(lambda: polled.count() == 10)


def test_two_hours_of_downtime_are_caught_up_within_the_rate_limit(sandbox: Sandbox) -> None:
    sandbox.change_settings("gosms", lifetime=0.0)
    account = make_account("gosms", sandbox, per_second=10, per_minute=300)
    past = timezone.now() - timedelta(hours=2)
    times = {
        "placed_at": past,
        "answered_at": past,
        "expires_at": past + timedelta(minutes=10),
        "next_poll_at": past + timedelta(seconds=3),
    }
    provider, channel = gosms_channel(sandbox)
    orders = rent_at_provider(sandbox, account, 100, **times)
    with provider.lock:
        for order in orders[:60]:
            theirs = channel.orders[int(order.provider_id)]
            provider.rentals.receive(channel, theirs, "Your code is 482913", "482913")

    run_engine(lambda: not Order.objects.filter(state="pending").exists(), at_most=60)

    states = list(Order.objects.values_list("state", flat=True))
    assert (states.count("received"), states.count("expired")) == (60, 40)
    lookups = sandbox.book.entries("gosms", "get_order")
    ended = {order.provider_id for order in orders[60:]}
    assert len([entry for entry in lookups if entry.message_id in ended]) <= 40 + 4
    assert not [entry for entry in sandbox.book.entries("gosms") if entry.status == 429]


class ChangingLists:
    """A provider whose lists change during the reading."""

    def __init__(self, pending: list[str], received: list[str]) -> None:
        self.lists = {"pending": pending, "received": received}
        self.calls: list[tuple[str, int]] = []
        self.leaving = 0

    def list_orders(self, *, page: int, page_size: int, state: str) -> RentalPage:
        self.calls.append((str(state), page))
        rows = self.lists[str(state)]
        shown = rows[(page - 1) * page_size : page * page_size]
        self.lists["pending"] = self.lists["pending"][self.leaving :]
        found = tuple(Rental(one, OrderState(state), state, "", "", "", None) for one in shown)
        return RentalPage(found, len(rows), page, page_size)


def ids(count: int, start: int = 0) -> list[str]:
    return [str(number) for number in range(start, start + count)]


def run_round(lists: ChangingLists, waiting: list[str]) -> Round:
    job = RoundJob(1, "account:1", 1, timezone.now(), dict.fromkeys(waiting, 1), 1)
    return job._run_round(lists)  # type: ignore[arg-type]


def test_round_without_departures_takes_two_calls() -> None:
    lists = ChangingLists(ids(1000), [])
    done = run_round(lists, ids(1000))
    assert (done.missing, done.calls) == (frozenset(), 2)


def test_received_orders_are_found_without_reading_all_pages() -> None:
    lists = ChangingLists(ids(990, 10), ids(10))
    done = run_round(lists, ids(1000))
    assert {one.order_id for one in done.received} == set(ids(10))
    assert (done.missing, done.calls) == (frozenset(), 2)


def test_orders_that_left_otherwise_are_missing() -> None:
    lists = ChangingLists(ids(247, 3), [])
    done = run_round(lists, ids(250))
    assert done.missing == frozenset(ids(3))


def test_departures_during_the_reading_hide_no_order() -> None:
    lists = ChangingLists(ids(240, 10), [])
    lists.leaving = 20
    done = run_round(lists, ids(250))
    assert [page for state, page in lists.calls if state == "pending"][1:] == [3, 2, 1]
    assert set(ids(10)) <= done.missing or len(done.missing) == 5


def test_foreign_orders_do_not_hide_that_ours_left() -> None:
    lists = ChangingLists([*ids(50, 1000), *ids(49, 1)], [])
    assert run_round(lists, ids(50)).missing == frozenset({"0"})


def test_missing_orders_are_found_by_absence_if_received_list_is_too_long() -> None:
    theirs, ours = ids(2500, 10_000), ids(250)
    lists = ChangingLists(ours[1:], [*theirs, "0"])
    done = run_round(lists, ours)
    assert (done.missing, done.calls) == (frozenset({"0"}), 5)
    again = RoundJob(1, "account:1", 1, timezone.now(), dict.fromkeys(ours, 1), done.received_pages)
    assert again._run_round(lists).missing == frozenset({"0"})  # type: ignore[arg-type]


def test_unreadable_list_triggers_some_single_lookups() -> None:
    account, claim, source = make_account("gosms"), uuid4(), PollSource()
    later = timezone.now() + timedelta(minutes=5)
    for _ in range(12):
        make_rented(account, next_poll_at=later)
    (job,) = source.claim(account, 5, claim)
    error = OutcomeUnknown(Reason.UNREADABLE, http_status=500)
    source.record([Result(job, error=error)], claim)
    assert Order.objects.filter(next_poll_at__lte=timezone.now()).count() == 10
    assert Watch.objects.filter(next_round_at__gt=timezone.now()).exists()


def test_reading_stops_at_the_page_limit_of_an_endless_list() -> None:
    class Endless:
        def list_orders(self, *, page: int, page_size: int, state: str) -> RentalPage:
            return RentalPage((), 10**8, page, page_size)

    listing = Listing(Endless(), OrderState.PENDING)  # type: ignore[arg-type]
    listing.read_all(1)
    assert listing.calls == 100
