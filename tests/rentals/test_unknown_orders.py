"""What becomes of an order whose outcome is unknown, told by what was read of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers.gateway.vocabulary import OrderState, Rental
from providers.models import Account
from rentals import order_import, placement_results, reconciliation
from rentals.models import FoundOrder, Order, Reading
from tests.factories.accounts import make_account
from tests.factories.orders import make_order, make_rented

from .test_poll_intervals import said

pytestmark = pytest.mark.django_db

ALONE = {"exclusive_key": True}
NOW = timezone.now()


def unknown(**fields: Any) -> Order:
    times = {"handed_over_at": NOW, "answered_at": NOW + timedelta(seconds=30)}
    account = make_account("gosms", options=ALONE)
    return make_order(**{"account": account, "state": "unknown", **times, **fields})


def listed_there(account: Account, *, after: timedelta = timedelta(0), **fields: object) -> None:
    FoundOrder.objects.create(
        **{
            "account": account,
            "provider_id": "4711",
            "project": "whatsapp",
            "region": "ID",
            "stated": "pending",
            "created_there": NOW + after,
            "first_seen_at": NOW + timedelta(seconds=40),
            **fields,
        }
    )


def read_whole(account: Account, **fields: object) -> None:
    for kind in Reading.Kind:
        state = {"state": "done", "whole": True, "complete": True}
        started = NOW + timedelta(minutes=3)
        Reading.objects.create(
            account=account, kind=kind, **{**state, "started_at": started, **fields}
        )


def settled(order: Order) -> str:
    reconciliation.settle(order.account, NOW + timedelta(minutes=4))
    order.refresh_from_db()
    return order.state


def test_one_order_that_was_made_at_that_time_is_ours() -> None:
    order = unknown()
    listed_there(order.account)
    assert settled(order) == "pending"


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "placing"},
        {"state": "claimed"},
        {"state": "not_created", "reason": "not_found_there"},
        {"state": "not_created", "settled_because": "Seen there"},
    ],
    ids=str,
)
def test_it_is_not_where_it_may_be_another_one_of_ours(fields: dict[str, str]) -> None:
    order = unknown()
    make_order(order.account, handed_over_at=NOW + timedelta(seconds=31), **fields)
    listed_there(order.account)
    assert settled(order) == "unknown"


def test_an_order_that_was_certainly_not_made_is_no_rival() -> None:
    order = unknown()
    make_order(order.account, handed_over_at=NOW, state="not_created", reason="unreachable")
    listed_there(order.account)
    assert settled(order) == "pending"


def test_a_clock_that_is_far_off_is_told_by_our_other_orders() -> None:
    order = unknown()
    ahead = timedelta(minutes=20)
    make_rented(order.account, created_there=NOW + ahead, answered_at=NOW)
    listed_there(order.account, after=ahead)
    assert settled(order) == "pending"


def test_what_turns_up_under_a_clock_that_nothing_tells_of_is_left_to_staff() -> None:
    order = unknown()
    listed_there(order.account, after=timedelta(minutes=20))
    read_whole(order.account)
    assert settled(order) == "unknown"
    assert reconciliation.candidates(order).count() == 1


def test_in_neither_list_it_was_not_made() -> None:
    order = unknown()
    read_whole(order.account)
    assert settled(order) == "not_created"


@pytest.mark.parametrize(
    "fields", [{"whole": False}, {"complete": False}, {"unreadable": 1}], ids=str
)
def test_a_list_that_was_not_read_whole_and_understood_proves_nothing(
    fields: dict[str, object],
) -> None:
    order = unknown()
    read_whole(order.account, **fields)
    assert settled(order) == "unknown"


def test_its_own_answer_is_stronger_than_the_belief_that_it_was_not_made() -> None:
    order = unknown(state="not_created", reason="not_found_there")
    rental = said(order, "pending", order_id="4711", phone="+6281234567890")
    placement_results.apply_placed(Order.objects.filter(pk=order.pk), rental, timezone.now())
    order.refresh_from_db()
    assert (order.state, order.provider_id, order.ended_at) == ("pending", "4711", None)


def test_what_a_later_reading_adds_to_an_order_of_others_is_kept() -> None:
    account = make_account("gosms")
    row = Rental("4711", OrderState.PENDING, "pending", "+62812", "whatsapp", "ID", None)
    order_import.import_page(account, [row], NOW)
    news = replace(row, state=OrderState.RECEIVED, raw_state="received", code="482913")
    order_import.import_page(account, [news], NOW)
    order_import.import_page(account, [replace(news, code=None)], NOW)
    found = FoundOrder.objects.get()
    assert (found.stated, found.code.reveal()) == ("received", "482913")


def test_the_time_of_an_imported_order_is_that_of_our_clock() -> None:
    account = make_account("gosms")
    behind = timedelta(minutes=10)
    make_rented(account, created_there=NOW - behind, answered_at=NOW)
    listed_there(account, after=-behind)
    order = order_import.import_order(FoundOrder.objects.get(), None)
    assert order is not None
    assert order.expires_at is not None
    assert order.expires_at > NOW + timedelta(minutes=15)
