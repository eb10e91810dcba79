"""The ledger check: the provider's transactions compared with our orders."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.stored_texts import from_staff
from providers.balances import balance_of
from providers.gateway.vocabulary import Transaction as Stated
from providers.models import Account, BalanceReading
from rentals import ledger, tasks, transactions
from rentals.models import Finding, Reading, Transaction
from rentals.runway import runway
from tests.factories.accounts import make_account
from tests.factories.orders import make_rented
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def account() -> Account:
    account = make_account("gosms")
    mark_read(account)
    return account


def mark_read(account: Account) -> None:
    now = timezone.now()
    Reading.objects.create(
        account=account,
        kind="transactions",
        state="done",
        complete=True,
        started_at=now,
        ended_at=now,
    )


def book(account: Account, order_id: str, *types: str, amount: str = "0.50") -> None:
    for type_ in types:
        Transaction.objects.create(
            account=account,
            provider_id=f"{order_id}-{type_}",
            type=type_,
            amount=Decimal(amount),
            order_provider_id=order_id,
            created_there=timezone.now() - HOUR,
        )


def place(account: Account, state: str, **fields: object) -> str:
    then = timezone.now() - HOUR
    order = make_rented(account, state=state, answered_at=then, ended_at=then, **fields)
    return str(order.provider_id)


def finding_kinds(account: Account) -> list[str]:
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
def test_matching_transactions_are_no_finding(
    account: Account, state: str, types: tuple[str, ...]
) -> None:
    book(account, place(account, state), *types)
    assert finding_kinds(account) == []


@pytest.mark.parametrize("state", ["cancelled", "expired"])
def test_missing_refund_is_a_finding(account: Account, state: str) -> None:
    book(account, place(account, state), "Hold")
    assert finding_kinds(account) == ["refund_missing"]


def test_hold_without_an_order_is_a_finding(account: Account) -> None:
    book(account, "4711", "Hold")
    assert finding_kinds(account) == ["hold_without_order"]


def test_order_without_a_hold_is_a_finding(account: Account) -> None:
    place(account, "received")
    assert finding_kinds(account) == ["order_without_hold"]


def test_differing_price_is_a_finding(account: Account) -> None:
    book(account, place(account, "received"), "Hold", amount="0.60")
    assert finding_kinds(account) == ["price_differs"]


def test_unknown_transaction_type_is_a_finding(account: Account) -> None:
    book(account, place(account, "received"), "Hold", "Bonus")
    assert finding_kinds(account) == ["unknown_type"]


def test_very_recent_orders_are_not_compared(account: Account) -> None:
    now = timezone.now()
    make_rented(account, answered_at=now)
    order = make_rented(account, state="cancelled", answered_at=now - HOUR, ended_at=now)
    book(account, order.provider_id, "Hold")
    assert finding_kinds(account) == []


def test_check_finds_nothing_before_a_complete_reading() -> None:
    account = make_account("gosms")
    place(account, "received")
    assert finding_kinds(account) == []


def test_later_check_that_agrees_closes_the_finding(account: Account) -> None:
    order_id = place(account, "cancelled")
    book(account, order_id, "Hold")
    assert finding_kinds(account) == ["refund_missing"]
    book(account, order_id, "Refund")
    assert finding_kinds(account) == []
    assert Finding.objects.get().gone_at is not None


def test_finding_older_than_the_compared_period_stays_open(account: Account) -> None:
    old = timezone.now() - ledger.LOOKBACK - timedelta(days=1)
    book(account, "4711", "Hold")
    (finding,) = ledger.check(account)
    Transaction.objects.update(created_there=old)
    Finding.objects.update(since=old)
    ledger.check(account)
    finding.refresh_from_db()
    assert finding.gone_at is None


def test_explained_finding_stays_and_no_longer_counts(account: Account) -> None:
    book(account, "4711", "Hold")
    (finding,) = ledger.check(account)
    by = make_user()
    assert ledger.explain(finding, by, from_staff("Rented elsewhere"))
    assert not ledger.explain(finding, make_user(), from_staff("again"))
    assert finding_kinds(account) == []
    assert Finding.objects.get().explained_by == by


def test_finding_keeps_both_sides(account: Account) -> None:
    book(account, place(account, "cancelled"), "Hold")
    (finding,) = ledger.check(account)
    assert (finding.ours["state"], finding.ours["price"]) == ("cancelled", "0.50")
    assert [row["type"] for row in finding.theirs] == ["Hold"]


# --- what the provider stated -----------------------------------------------------


def make_stated(transaction_id: str, at: datetime | None = None, **fields: object) -> Stated:
    values = {"type": "Hold", "amount": Decimal("0.50"), "balance_after": Decimal("1.00")}
    values |= {"frozen_after": None, "description": "订单冻结", "order_id": "12345", **fields}
    return Stated(transaction_id=transaction_id, created_at=at, **values)  # type: ignore[arg-type]


def test_transaction_read_twice_is_stored_once(account: Account) -> None:
    now = timezone.now()
    assert transactions.import_page(account, [make_stated("1", now)], now) == 1
    assert (
        transactions.import_page(account, [make_stated("1", now), make_stated("2", now)], now) == 1
    )
    assert Transaction.objects.count() == 2


def test_differing_value_of_a_later_reading_is_kept_beside_the_row(account: Account) -> None:
    now = timezone.now()
    transactions.import_page(account, [make_stated("1", now)], now)
    transactions.import_page(account, [make_stated("1", now, amount=Decimal("0.70"))], now)
    row = Transaction.objects.get()
    assert row.amount == Decimal("0.50")
    assert [(one["field"], one["value"]) for one in row.differing] == [("amount", "0.70")]


def two_under_one_id(account: Account, **second: object) -> None:
    then = timezone.now() - HOUR
    page = [make_stated("1", then), make_stated("1", then, **second)]
    transactions.import_page(account, page, timezone.now())


def test_second_order_of_a_doubled_id_is_a_finding(account: Account, admin_client: Client) -> None:
    first = place(account, "received", provider_id="12345", price="0.50")
    second = place(account, "received", provider_id="12346", price="0.70")
    two_under_one_id(account, order_id=second, amount=Decimal("0.70"))
    found = ledger.check(account)
    # Both orders have their Hold, although one of them has another's id.
    assert [(one.kind, one.about) for one in found] == [("doubled_id", "1")]
    assert [row["amount"] for row in found[0].theirs] == ["0.50", "0.70"]
    page = admin_client.get(reverse("admin:rentals_finding_change", args=[found[0].public_id]))
    html = page.content.decode()
    assert first in html
    assert second in html
    assert "0.70" in html


def test_hold_of_a_stranger_under_a_doubled_id_is_a_finding(account: Account) -> None:
    place(account, "received", provider_id="12345", price="0.50")
    two_under_one_id(account, order_id="999")
    assert finding_kinds(account) == ["doubled_id", "hold_without_order"]


@pytest.mark.parametrize(
    ("second", "kinds"),
    [
        ({}, ["doubled_id"]),
        ({"type": "Refund"}, ["doubled_id"]),
        ({"amount": Decimal("0.60")}, ["doubled_id"]),
    ],
)
def test_entries_under_one_id_are_a_finding(
    account: Account, second: dict[str, object], kinds: list[str]
) -> None:
    place(account, "received", provider_id="12345", price="0.50")
    two_under_one_id(account, **second)
    assert finding_kinds(account) == kinds


def test_a_description_that_changed_is_no_finding(account: Account) -> None:
    place(account, "received", provider_id="12345", price="0.50")
    then = timezone.now() - HOUR
    transactions.import_page(account, [make_stated("1", then)], then)
    transactions.import_page(account, [make_stated("1", then, description="x")], then)
    assert finding_kinds(account) == []


def test_runway_follows_from_booked_holds(account: Account) -> None:
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
    lasts = runway(account, balance_of(account), now)
    assert lasts is not None
    assert lasts == 6 * HOUR


def test_runway_is_unknown_without_spending(account: Account) -> None:
    BalanceReading.objects.create(account=account, balance=Decimal(60))
    assert runway(account, balance_of(account)) is None


def test_each_account_is_checked_by_a_task_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = [make_account("gosms"), make_account("gosms")]
    make_account("haorui")
    queued: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks, "async_task", lambda path, pk, **_: queued.append((path, pk)))
    assert tasks.check_ledgers() == 2
    assert sorted(queued) == [("rentals.tasks.check_ledgers", one.pk) for one in accounts]
    checked: list[int] = []

    def check(account: Account) -> list[Finding]:
        checked.append(account.pk)
        return []

    monkeypatch.setattr(ledger, "check", check)
    assert tasks.check_ledgers(accounts[1].pk) == 0
    assert checked == [accounts[1].pk]
