"""Unknown orders, found orders and the provider's lists, over real HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from core.stored_texts import from_staff
from rentals import order_import, reconciliation
from rentals.engine import list_sync_source
from rentals.models import FoundOrder, Order, Reading, Transaction
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.orders import change, make_order
from tests.factories.staff import make_user
from tests.support.engine import IMPATIENT, run_engine
from tests.support.orders import read, rent, until_state

from .engine.test_list_poll import gosms_channel

pytestmark = pytest.mark.django_db(transaction=True)

EXCLUSIVE_KEY = {"exclusive_key": True}


def place_with_lost_answer(sandbox: Sandbox, *, accepted: bool, **account: object) -> Order:
    """Place an order whose answer is lost; `accepted`: the provider placed it."""
    fault = "json_truncated"
    sandbox.fault(fault, provider="gosms", operation="create_order", accept=accepted)
    order = make_order(make_account("gosms", sandbox, **account))
    return until_state(order, "unknown", "pending", "not_created", deadlines=IMPATIENT)


def test_order_that_is_certainly_ours_is_adopted_and_polled(sandbox: Sandbox) -> None:
    order = place_with_lost_answer(sandbox, accepted=True, options=EXCLUSIVE_KEY)

    order = until_state(order, "pending")

    assert order.provider_id
    assert order.phone.startswith("+62812")
    assert len(sandbox.book.entries("gosms", "create_order")) == 1
    assert not FoundOrder.objects.filter(order=None).exists()
    run_engine(lambda: Order.objects.filter(pk=order.pk).exclude(polled_at=None).exists())
    order.refresh_from_db()
    assert order.expires_there is not None


def test_staff_decide_if_the_key_is_shared(sandbox: Sandbox) -> None:
    order = place_with_lost_answer(sandbox, accepted=True)
    run_engine(FoundOrder.objects.exists)

    order.refresh_from_db()
    assert order.state == "unknown"
    (found,) = reconciliation.candidates(order)
    by = make_user()

    assert reconciliation.adopt(order, found, by=by, because=from_staff("Seen there"))

    order.refresh_from_db()
    assert (order.state, order.settled_by, order.provider_id) == ("pending", by, found.provider_id)
    assert not reconciliation.adopt(order, found, by=by, because=from_staff("again"))


def test_order_in_no_list_was_not_created(sandbox: Sandbox) -> None:
    order = place_with_lost_answer(sandbox, accepted=False)
    change(order, answered_at=timezone.now() - timedelta(minutes=3))

    order = until_state(order, "not_created")

    assert order.reason == "not_found_there"
    assert len(sandbox.book.entries("gosms", "create_order")) == 1


def test_order_stays_unknown_until_it_had_time_to_appear(sandbox: Sandbox) -> None:
    order = place_with_lost_answer(sandbox, accepted=False)
    for kind in Reading.Kind:
        read(list_sync_source.request_reading(order.account, kind))
    order.refresh_from_db()
    assert order.state == "unknown"


def test_hold_of_an_unknown_order_keeps_it_unknown(sandbox: Sandbox) -> None:
    order = place_with_lost_answer(sandbox, accepted=False)
    change(order, answered_at=timezone.now() - timedelta(minutes=3))
    Transaction.objects.create(
        account=order.account,
        provider_id="7",
        type="Hold",
        amount=1,
        order_provider_id="4711",
        created_there=order.answered_at,
    )
    for kind in Reading.Kind:
        read(list_sync_source.request_reading(order.account, kind))
    order.refresh_from_db()
    assert order.state == "unknown"


OTHER_ORDER = {"field": "order_provider_id", "value": "4711", "at": "2026-11-29T00:00:00"}
OTHER_WORDS = {"field": "description", "value": "x", "at": "2026-11-29T00:00:00"}


@pytest.mark.parametrize(
    ("booked", "state"),
    [
        ({}, "not_created"),
        ({"differing": [OTHER_WORDS]}, "not_created"),
        ({"type": "Hold", "order_provider_id": "4711"}, "unknown"),
        ({"differing": [OTHER_ORDER]}, "unknown"),
        ({"repeated": 1}, "unknown"),
    ],
)
def test_only_a_booking_that_may_be_of_the_order_keeps_it_unknown(
    booked: dict[str, object], state: str
) -> None:
    then = timezone.now() - timedelta(minutes=5)
    order = make_order(make_account("gosms"), state="unknown", handed_over_at=then)
    change(order, answered_at=then)
    values = {"type": "Release", "amount": 1, "created_there": then, **booked}
    Transaction.objects.create(account=order.account, provider_id="7", **values)
    for kind in Reading.Kind:
        Reading.objects.create(
            account=order.account,
            kind=kind,
            state="done",
            complete=True,
            whole=True,
            unreadable=0,
            started_at=timezone.now() - timedelta(seconds=1),
        )
    reconciliation.settle(order.account, timezone.now())
    order.refresh_from_db()
    assert order.state == state


def test_unknown_order_blocks_others_of_its_app_and_country(sandbox: Sandbox) -> None:
    order = place_with_lost_answer(sandbox, accepted=True)
    other = make_order(order.account)
    elsewhere = make_order(order.account, region="GB")
    rent(elsewhere)
    other.refresh_from_db()
    assert other.state == "queued"


def test_found_order_can_be_imported_once(sandbox: Sandbox) -> None:
    ours = make_account("gosms", sandbox)
    theirs = rent(make_order(make_account("gosms", sandbox)))
    read(list_sync_source.request_reading(ours, Reading.Kind.ORDERS))
    found = FoundOrder.objects.get(account=ours)
    by = make_user()

    order = order_import.import_order(found, by)

    assert order is not None
    assert (order.provider_id, order.state, order.held_by) == (theirs.provider_id, "pending", by)
    assert order_import.import_order(found, by) is None


def test_found_order_is_imported_automatically_if_the_key_is_exclusive(sandbox: Sandbox) -> None:
    rent(make_order(make_account("gosms", sandbox)))
    ours = make_account("gosms", sandbox, options=EXCLUSIVE_KEY)
    read(list_sync_source.request_reading(ours, Reading.Kind.ORDERS))
    assert Order.objects.get(account=ours).imported


def test_list_brings_an_sms_on_an_ended_order(sandbox: Sandbox) -> None:
    order = rent(make_order(make_account("gosms", sandbox)))
    change(order, state="cancelled", next_poll_at=None)
    sandbox.deliver_sms(order.provider_id, "Your code is 482913")
    read(list_sync_source.request_reading(order.account, Reading.Kind.ORDERS))
    order.refresh_from_db()
    assert (order.state, order.code.reveal()) == ("received", "482913")


@pytest.mark.parametrize("list_order", ["newest", "oldest", "shuffled"])
def test_transactions_are_read_completely_in_any_list_order(
    sandbox: Sandbox, list_order: str
) -> None:
    sandbox.change_settings(
        "gosms", list_order=list_order, rate_per_second=10_000, rate_per_minute=100_000
    )
    account = make_account("gosms", sandbox)
    gosms, channel = gosms_channel(sandbox)
    with gosms.lock:
        for _ in range(249):
            gosms.rentals.deposit(channel, channel.balance)

    done = read(list_sync_source.request_reading(account, Reading.Kind.TRANSACTIONS))

    assert (done.state, done.complete, done.total) == ("done", True, 249)
    assert Transaction.objects.count() == 249
    again = read(list_sync_source.request_reading(account, Reading.Kind.TRANSACTIONS))
    assert (again.new, again.calls) == (0, 1)


def test_open_reading_is_not_requested_twice(sandbox: Sandbox) -> None:
    account = make_account("gosms", sandbox)
    first = list_sync_source.request_reading(account, Reading.Kind.ORDERS)
    assert list_sync_source.request_reading(account, Reading.Kind.ORDERS) == first
