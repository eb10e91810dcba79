"""Many open orders are followed by the provider's list, over real HTTP."""

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


def channel_of(sandbox: Sandbox) -> tuple[GoSMS, Channel]:
    provider = sandbox.providers["gosms"]
    assert isinstance(provider, GoSMS)
    channel = next(iter(provider.accounts.values()))
    assert isinstance(channel, Channel)
    return provider, channel


def rented_there(sandbox: Sandbox, account: Account, count: int, **fields: object) -> list[Order]:
    """Orders that the provider knows as well as we do."""
    provider, channel = channel_of(sandbox)
    with provider.lock:
        theirs = [
            provider.rentals.place(channel, "whatsapp", "ID", provider.settings.prices["ID"])
            for _ in range(count)
        ]
    return [
        make_rented(account, provider_id=str(one.order_id), phone=one.phone, **fields)
        for one in theirs
    ]


def test_codes_come_from_the_list_and_texts_afterwards(sandbox: Sandbox) -> None:
    account = make_account("gosms", sandbox)
    orders = rented_there(sandbox, account, 25, next_poll_at=timezone.now())
    for order in orders[5:9]:
        sandbox.deliver_sms(order.provider_id, f"Your code is 48{order.provider_id}")

    whole = Order.objects.filter(state="received").exclude(content="").exclude(code="")
    run_engine(lambda: whole.count() == 4 and not whole.exclude(next_poll_at=None).exists())

    assert {order.provider_id for order in whole} == {one.provider_id for one in orders[5:9]}
    assert Watch.objects.get().by_list
    assert len(sandbox.book.entries("gosms", "get_order")) == 4
    assert Order.objects.filter(state="pending").count() == 21


def test_with_fewer_open_orders_each_is_asked_for_again(sandbox: Sandbox) -> None:
    account = make_account("gosms", sandbox)
    orders = rented_there(sandbox, account, 11, next_poll_at=timezone.now())
    sandbox.deliver_sms(orders[0].provider_id, "Your code is 482913")
    run_engine(Order.objects.filter(state="received").exists)
    run_engine(Watch.objects.filter(by_list=False).exists)
    asked = Order.objects.filter(state="pending", polled_at__isnull=False)
    run_engine(lambda: asked.count() == 10)


def test_two_hours_of_downtime_are_caught_up_without_a_storm(sandbox: Sandbox) -> None:
    sandbox.change_settings("gosms", lifetime=0.0)
    account = make_account("gosms", sandbox, per_second=10, per_minute=300)
    past = timezone.now() - timedelta(hours=2)
    times = {
        "placed_at": past,
        "answered_at": past,
        "expires_at": past + timedelta(minutes=10),
        "next_poll_at": past + timedelta(seconds=3),
    }
    provider, channel = channel_of(sandbox)
    orders = rented_there(sandbox, account, 100, **times)
    with provider.lock:
        for order in orders[:60]:
            theirs = channel.orders[int(order.provider_id)]
            provider.rentals.receive(channel, theirs, "Your code is 482913", "482913")

    run_engine(lambda: not Order.objects.filter(state="pending").exists(), at_most=60)

    states = list(Order.objects.values_list("state", flat=True))
    assert (states.count("received"), states.count("expired")) == (60, 40)
    asked = sandbox.book.entries("gosms", "get_order")
    ended = {order.provider_id for order in orders[60:]}
    assert len([entry for entry in asked if entry.message_id in ended]) <= 40 + 4
    assert not [entry for entry in sandbox.book.entries("gosms") if entry.status == 429]


class Book:
    """A provider whose lists change while they are read."""

    def __init__(self, pending: list[str], received: list[str]) -> None:
        self.lists = {"pending": pending, "received": received}
        self.asked: list[tuple[str, int]] = []
        self.leaving = 0

    def list_orders(self, *, page: int, page_size: int, state: str) -> RentalPage:
        self.asked.append((str(state), page))
        rows = self.lists[str(state)]
        shown = rows[(page - 1) * page_size : page * page_size]
        self.lists["pending"] = self.lists["pending"][self.leaving :]
        found = tuple(Rental(one, OrderState(state), state, "", "", "", None) for one in shown)
        return RentalPage(found, len(rows), page, page_size)


def ids(count: int, start: int = 0) -> list[str]:
    return [str(number) for number in range(start, start + count)]


def round_of(book: Book, waiting: list[str]) -> Round:
    job = RoundJob(1, "account:1", 1, timezone.now(), dict.fromkeys(waiting, 1), 1)
    return job._run_round(book)  # type: ignore[arg-type]


def test_while_nothing_leaves_a_round_is_two_calls() -> None:
    book = Book(ids(1000), [])
    done = round_of(book, ids(1000))
    assert (done.missing, done.calls) == (frozenset(), 2)


def test_what_has_its_sms_is_found_without_reading_all_pages() -> None:
    book = Book(ids(990, 10), ids(10))
    done = round_of(book, ids(1000))
    assert {one.order_id for one in done.received} == set(ids(10))
    assert (done.missing, done.calls) == (frozenset(), 2)


def test_what_left_in_another_way_is_missing() -> None:
    book = Book(ids(247, 3), [])
    done = round_of(book, ids(250))
    assert done.missing == frozenset(ids(3))


def test_departures_while_the_pages_are_read_hide_nothing() -> None:
    book = Book(ids(240, 10), [])
    book.leaving = 20
    done = round_of(book, ids(250))
    assert [page for state, page in book.asked if state == "pending"][1:] == [3, 2, 1]
    assert set(ids(10)) <= done.missing or len(done.missing) == 5


def test_orders_of_others_in_the_list_do_not_hide_that_ours_left() -> None:
    book = Book([*ids(50, 1000), *ids(49, 1)], [])
    assert round_of(book, ids(50)).missing == frozenset({"0"})


def test_where_the_list_of_received_orders_is_endless_what_left_is_asked_for() -> None:
    theirs, ours = ids(2500, 10_000), ids(250)
    book = Book(ours[1:], [*theirs, "0"])
    done = round_of(book, ours)
    assert (done.missing, done.calls) == (frozenset({"0"}), 5)
    again = RoundJob(1, "account:1", 1, timezone.now(), dict.fromkeys(ours, 1), done.received_pages)
    assert again._run_round(book).missing == frozenset({"0"})  # type: ignore[arg-type]


def test_where_the_list_cannot_be_read_some_orders_are_asked_for_themselves() -> None:
    account, claim, source = make_account("gosms"), uuid4(), PollSource()
    later = timezone.now() + timedelta(minutes=5)
    for _ in range(12):
        make_rented(account, next_poll_at=later)
    (job,) = source.claim(account, 5, claim)
    error = OutcomeUnknown(Reason.UNREADABLE, http_status=500)
    source.record([Result(job, error=error)], claim)
    assert Order.objects.filter(next_poll_at__lte=timezone.now()).count() == 10
    assert Watch.objects.filter(next_round_at__gt=timezone.now()).exists()


def test_a_list_that_never_ends_is_left_in_time() -> None:
    class Endless:
        def list_orders(self, *, page: int, page_size: int, state: str) -> RentalPage:
            return RentalPage((), 10**8, page, page_size)

    listing = Listing(Endless(), OrderState.PENDING)  # type: ignore[arg-type]
    listing.read_all(1)
    assert listing.calls == 100
