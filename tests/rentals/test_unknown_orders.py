"""How readings of the lists settle an order whose outcome is unknown."""

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
from tests.support.clock_steps import note_step

from .test_poll_intervals import make_rental

pytestmark = pytest.mark.django_db

EXCLUSIVE_KEY = {"exclusive_key": True}
NOW = timezone.now() - timedelta(minutes=10)


def make_unknown(**fields: Any) -> Order:
    times = {"handed_over_at": NOW, "answered_at": NOW + timedelta(seconds=30)}
    account = make_account("gosms", options=EXCLUSIVE_KEY)
    return make_order(**{"account": account, "state": "unknown", **times, **fields})


def list_at_provider(
    account: Account, *, after: timedelta = timedelta(0), **fields: object
) -> None:
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


def read_both_lists(account: Account, **fields: object) -> None:
    for kind in Reading.Kind:
        state = {"state": "done", "whole": True, "complete": True}
        started = NOW + timedelta(minutes=3)
        Reading.objects.create(
            account=account, kind=kind, **{**state, "started_at": started, **fields}
        )


def state_after_settling(order: Order) -> str:
    reconciliation.settle(order.account, NOW + timedelta(minutes=4))
    order.refresh_from_db()
    return order.state


def test_only_candidate_of_that_time_is_adopted() -> None:
    order = make_unknown()
    list_at_provider(order.account)
    assert state_after_settling(order) == "pending"


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
def test_candidate_is_not_adopted_if_it_may_be_another_order_of_ours(
    fields: dict[str, str],
) -> None:
    order = make_unknown()
    make_order(order.account, handed_over_at=NOW + timedelta(seconds=31), **fields)
    list_at_provider(order.account)
    assert state_after_settling(order) == "unknown"


def test_order_that_was_certainly_not_placed_is_no_rival() -> None:
    order = make_unknown()
    make_order(order.account, handed_over_at=NOW, state="not_created", reason="unreachable")
    list_at_provider(order.account)
    assert state_after_settling(order) == "pending"


def test_clock_skew_is_taken_from_our_other_orders() -> None:
    order = make_unknown()
    ahead = timedelta(minutes=20)
    make_rented(order.account, created_there=NOW + ahead, answered_at=NOW)
    list_at_provider(order.account, after=ahead)
    assert state_after_settling(order) == "pending"


def test_candidate_of_an_unknown_clock_skew_is_left_to_staff() -> None:
    order = make_unknown()
    list_at_provider(order.account, after=timedelta(minutes=20))
    read_both_lists(order.account)
    assert state_after_settling(order) == "unknown"
    assert reconciliation.candidates(order).count() == 1


def test_order_in_neither_list_was_not_created() -> None:
    order = make_unknown()
    read_both_lists(order.account)
    assert state_after_settling(order) == "not_created"


def test_order_in_neither_list_stays_unknown_while_the_clock_was_just_set() -> None:
    order = make_unknown()
    read_both_lists(order.account)
    note_step()
    assert state_after_settling(order) == "unknown"


def test_reading_from_before_the_clock_was_set_back_proves_nothing() -> None:
    order = make_unknown()
    read_both_lists(order.account, started_at=timezone.now() + timedelta(hours=1))
    assert state_after_settling(order) == "unknown"


@pytest.mark.parametrize(
    "fields", [{"whole": False}, {"complete": False}, {"unreadable": 1}], ids=str
)
def test_incomplete_or_unreadable_list_proves_nothing(
    fields: dict[str, object],
) -> None:
    order = make_unknown()
    read_both_lists(order.account, **fields)
    assert state_after_settling(order) == "unknown"


def test_own_answer_overrides_the_belief_that_it_was_not_created() -> None:
    order = make_unknown(state="not_created", reason="not_found_there")
    rental = make_rental(order, "pending", order_id="4711", phone="+6281234567890")
    placement_results.apply_placed(Order.objects.filter(pk=order.pk), rental, timezone.now())
    order.refresh_from_db()
    assert (order.state, order.provider_id, order.ended_at) == ("pending", "4711", None)


def test_later_reading_adds_to_a_found_order() -> None:
    account = make_account("gosms")
    row = Rental("4711", OrderState.PENDING, "pending", "+62812", "whatsapp", "ID", None)
    order_import.import_page(account, [row], NOW)
    update = replace(row, state=OrderState.RECEIVED, raw_state="received", code="482913")
    order_import.import_page(account, [update], NOW)
    order_import.import_page(account, [replace(update, code=None)], NOW)
    found = FoundOrder.objects.get()
    assert (found.stated, found.code.reveal()) == ("received", "482913")


def test_times_of_an_imported_order_follow_our_clock() -> None:
    account = make_account("gosms")
    behind = timedelta(minutes=10)
    make_rented(account, created_there=NOW - behind, answered_at=NOW)
    list_at_provider(account, after=-behind)
    order = order_import.import_order(FoundOrder.objects.get(), None)
    assert order is not None
    assert order.expires_at is not None
    assert order.expires_at > NOW + timedelta(minutes=15)
