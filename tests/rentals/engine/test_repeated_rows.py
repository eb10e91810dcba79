"""Lists in which two rows have one id: both are kept, and the reading ends."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from providers.engine.work_source import Result
from providers.gateway.vocabulary import (
    OrderState,
    Rental,
    RentalPage,
    Transaction,
    TransactionPage,
)
from providers.models import Account
from rentals import transactions
from rentals.engine.list_sync_source import ListSyncSource, request_reading
from rentals.models import FoundOrder, Order, Reading
from rentals.models import Transaction as Stored
from tests.factories.accounts import make_account
from tests.factories.orders import make_rented

pytestmark = pytest.mark.django_db

SIZE = 100


@pytest.fixture
def account() -> Account:
    return make_account("gosms")


def booked(key: str, amount: str = "0.50", order_id: str = "12345") -> Transaction:
    return Transaction(key, "Hold", Decimal(amount), None, None, "", order_id, None)


def listed(key: str, **fields: Any) -> Rental:
    values: dict[str, Any] = {
        "state": OrderState.PENDING,
        "raw_state": "pending",
        "phone": "+6281234567890",
        "project": "whatsapp",
        "region": "ID",
        "price": Decimal("0.50"),
    }
    return Rental(key, **{**values, **fields})


def read_list(account: Account, kind: str, page_of: Callable[[int], Any]) -> Reading:
    """Read a list to its end, with answers from `page_of`."""
    reading = request_reading(account, kind)
    source, claim = ListSyncSource(), uuid4()
    while jobs := source.claim(account, 1, claim):
        source.record([Result(job, page_of(job.page)) for job in jobs], claim)  # type: ignore[attr-defined]
    reading.refresh_from_db()
    return reading


def pages(rows: list[Transaction]) -> Callable[[int], TransactionPage]:
    def page_of(page: int) -> TransactionPage:
        shown = rows[(page - 1) * SIZE : page * SIZE]
        return TransactionPage(tuple(shown), len(rows), page, SIZE)

    return page_of


def test_both_values_of_one_id_are_kept_and_each_reading_takes_one_call(account: Account) -> None:
    rows = [booked("1001", "0.50"), booked("1001", "0.75", "12346"), booked("1002")]
    for _ in range(3):
        reading = read_list(account, Reading.Kind.TRANSACTIONS, pages(rows))
        assert (reading.calls, reading.complete, reading.state) == (1, True, "done")
    stored = Stored.objects.get(provider_id="1001")
    assert (stored.amount, stored.repeated) == (Decimal("0.50"), 1)
    values = [(one["field"], one["value"]) for one in stored.differing]
    assert values == [("amount", "0.75"), ("order_provider_id", "12346")]


def test_equal_rows_with_one_id_are_counted(account: Account) -> None:
    reading = read_list(account, Reading.Kind.TRANSACTIONS, pages([booked("1001")] * 3))
    assert (reading.calls, reading.complete) == (1, True)
    assert transactions.count_known(account) == 3


def test_one_id_on_two_pages_ends_after_a_second_pass(account: Account) -> None:
    rows = [booked(str(number)) for number in range(SIZE)] + [booked("0", "0.75"), booked("100")]
    for _ in range(2):
        reading = read_list(account, Reading.Kind.TRANSACTIONS, pages(rows))
        assert (reading.passes, reading.complete) == (2, True)
        assert reading.calls <= 4
    assert Stored.objects.count() == 101
    assert Stored.objects.get(provider_id="0").differing[0]["value"] == "0.75"


def test_list_that_is_shorter_than_its_total_is_not_complete(account: Account) -> None:
    def page_of(page: int) -> TransactionPage:
        return TransactionPage((booked("1001"),), 5, page, SIZE)

    reading = read_list(account, Reading.Kind.TRANSACTIONS, page_of)
    assert (reading.complete, reading.state) == (False, "done")


def test_order_that_is_listed_twice_is_applied_twice_and_ends_the_reading(
    account: Account,
) -> None:
    order = make_rented(account, provider_id="12345")
    rows = (
        listed("12345", state=OrderState.RECEIVED, raw_state="received", code="1234"),
        listed("12345", price=Decimal("0.75")),
        listed("777"),
        listed("777", code="5678"),
    )
    reading = read_list(
        account, Reading.Kind.ORDERS, lambda page: RentalPage(rows, len(rows), page, SIZE)
    )
    assert (reading.calls, reading.complete) == (2, True)
    order = Order.objects.get(pk=order.pk)
    assert (order.state, order.price, order.conflict) == ("received", Decimal("0.50"), True)
    found = FoundOrder.objects.get()
    assert found.provider_id == "777"
    assert timezone.now() > found.first_seen_at
