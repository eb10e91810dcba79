"""The provider's transactions beside our orders."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from providers.gateway.vocabulary import Transaction as Stated
from providers.models import Account, BalanceReading
from rentals import ledger, transactions
from rentals.admin import money_page
from rentals.models import Finding, Reading, Transaction
from tests.factories.accounts import make_account
from tests.factories.orders import make_rented
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def account() -> Account:
    account = make_account("gosms")
    read_whole(account)
    return account


def read_whole(account: Account) -> None:
    now = timezone.now()
    Reading.objects.create(
        account=account,
        kind="transactions",
        state="done",
        complete=True,
        started_at=now,
        ended_at=now,
    )


def booked(account: Account, order_id: str, *types: str, amount: str = "0.50") -> None:
    for type_ in types:
        Transaction.objects.create(
            account=account,
            provider_id=f"{order_id}-{type_}",
            type=type_,
            amount=Decimal(amount),
            order_provider_id=order_id,
            created_there=timezone.now() - HOUR,
        )


def placed(account: Account, state: str, **fields: object) -> str:
    then = timezone.now() - HOUR
    order = make_rented(account, state=state, answered_at=then, ended_at=then, **fields)
    return str(order.provider_id)


def kinds(account: Account) -> list[str]:
    return sorted(finding.kind for finding in ledger.check(account))


@pytest.mark.parametrize(
    ("state", "types"),
    [
        ("cancelled", ("Hold", "Refund")),
        ("expired", ("Hold", "Refund")),
        ("completed", ("Hold", "Release")),
        ("received", ("Hold",)),
    ],
)
def test_what_agrees_is_no_finding(account: Account, state: str, types: tuple[str, ...]) -> None:
    booked(account, placed(account, state), *types)
    assert kinds(account) == []


@pytest.mark.parametrize("state", ["cancelled", "expired"])
def test_a_refund_that_never_came(account: Account, state: str) -> None:
    booked(account, placed(account, state), "Hold")
    assert kinds(account) == ["refund_missing"]


def test_a_hold_without_an_order_of_ours(account: Account) -> None:
    booked(account, "4711", "Hold")
    assert kinds(account) == ["hold_without_order"]


def test_an_order_without_a_hold(account: Account) -> None:
    placed(account, "received")
    assert kinds(account) == ["order_without_hold"]


def test_a_price_that_differs(account: Account) -> None:
    booked(account, placed(account, "received"), "Hold", amount="0.60")
    assert kinds(account) == ["price_differs"]


def test_a_type_that_nobody_knows(account: Account) -> None:
    booked(account, placed(account, "received"), "Hold", "Bonus")
    assert kinds(account) == ["unknown_type"]


def test_what_happened_just_now_may_not_be_booked_yet(account: Account) -> None:
    now = timezone.now()
    make_rented(account, answered_at=now)
    order = make_rented(account, state="cancelled", answered_at=now - HOUR, ended_at=now)
    booked(account, order.provider_id, "Hold")
    assert kinds(account) == []


def test_nothing_is_found_before_the_books_were_read_whole() -> None:
    account = make_account("gosms")
    placed(account, "received")
    assert kinds(account) == []


def test_a_finding_goes_when_a_later_check_agrees(account: Account) -> None:
    order_id = placed(account, "cancelled")
    booked(account, order_id, "Hold")
    assert kinds(account) == ["refund_missing"]
    booked(account, order_id, "Refund")
    assert kinds(account) == []
    assert Finding.objects.get().gone_at is not None


def test_what_is_too_old_to_be_compared_does_not_count_as_agreeing(account: Account) -> None:
    old = timezone.now() - ledger.LOOKBACK - timedelta(days=1)
    booked(account, "4711", "Hold")
    (finding,) = ledger.check(account)
    Transaction.objects.update(created_there=old)
    Finding.objects.update(since=old)
    ledger.check(account)
    finding.refresh_from_db()
    assert finding.gone_at is None


def test_an_explained_finding_stays_and_counts_no_more(account: Account) -> None:
    booked(account, "4711", "Hold")
    (finding,) = ledger.check(account)
    by = make_user()
    assert ledger.explain(finding, by, "Rented elsewhere")
    assert not ledger.explain(finding, make_user(), "again")
    assert kinds(account) == []
    assert Finding.objects.get().explained_by == by


def test_a_finding_keeps_what_stands_on_both_sides(account: Account) -> None:
    booked(account, placed(account, "cancelled"), "Hold")
    (finding,) = ledger.check(account)
    assert (finding.ours["state"], finding.ours["price"]) == ("cancelled", "0.50")
    assert [row["type"] for row in finding.theirs] == ["Hold"]


# --- what the provider stated -----------------------------------------------------


def stated(transaction_id: str, at: datetime | None = None, **fields: object) -> Stated:
    values = {"type": "Hold", "amount": Decimal("0.50"), "balance_after": Decimal("1.00")}
    values |= {"frozen_after": None, "description": "订单冻结", "order_id": "12345", **fields}
    return Stated(transaction_id=transaction_id, created_at=at, **values)  # type: ignore[arg-type]


def test_a_row_that_is_read_twice_stands_once(account: Account) -> None:
    now = timezone.now()
    assert transactions.import_page(account, [stated("1", now)], now) == 1
    assert transactions.import_page(account, [stated("1", now), stated("2", now)], now) == 1
    assert Transaction.objects.count() == 2


def test_what_a_later_reading_says_otherwise_is_kept_beside_the_row(account: Account) -> None:
    now = timezone.now()
    transactions.import_page(account, [stated("1", now)], now)
    transactions.import_page(account, [stated("1", now, amount=Decimal("0.70"))], now)
    row = Transaction.objects.get()
    assert row.amount == Decimal("0.50")
    assert [(one["field"], one["value"]) for one in row.differing] == [("amount", "0.70")]


def test_how_long_the_balance_lasts_follows_from_what_was_booked(account: Account) -> None:
    now = timezone.now()
    BalanceReading.objects.create(account=account, balance=Decimal(60), available=Decimal(60))
    for hour in range(1, 11):
        Transaction.objects.create(
            account=account,
            provider_id=str(hour),
            type="Hold",
            amount=Decimal(10),
            created_there=now - hour * HOUR,
        )
    lasts = money_page.runway(account, now)
    assert lasts is not None
    assert lasts == 6 * HOUR


def test_without_use_nothing_is_said_of_how_long_it_lasts(account: Account) -> None:
    BalanceReading.objects.create(account=account, balance=Decimal(60))
    assert money_page.runway(account) is None
