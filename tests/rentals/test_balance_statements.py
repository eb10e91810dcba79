"""A balance is out of date once a later transaction states another one."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from providers.balances import balance_of, balances_of
from providers.models import Account, BalanceReading
from rentals.models import Transaction
from tests.factories.accounts import make_account
from tests.factories.orders import make_rented

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def account() -> Account:
    return make_account("gosms")


@pytest.fixture
def read_at(account: Account) -> datetime:
    """When 1000.50 were read, of which 950.50 were available."""
    at = timezone.now().replace(microsecond=400_000) - timedelta(minutes=5)
    BalanceReading.objects.create(
        account=account,
        balance=Decimal("1000.50"),
        frozen=Decimal(50),
        available=Decimal("950.50"),
        read_at=at,
    )
    return at


def book(account: Account, at: datetime | None, balance: str | None, number: int = 1) -> None:
    Transaction.objects.create(
        account=account,
        provider_id=str(number),
        type="Hold",
        amount=Decimal("0.90"),
        balance_after=None if balance is None else Decimal(balance),
        created_there=at,
    )


def test_later_transaction_with_another_balance_contradicts(
    account: Account, read_at: datetime
) -> None:
    book(account, read_at + 30 * SECOND, "982.00")
    balance = balance_of(account)
    assert balance.is_stale
    assert balance.later is not None
    assert balance.later.balance == Decimal("982.00")


def test_later_transaction_without_a_balance_contradicts(
    account: Account, read_at: datetime
) -> None:
    book(account, read_at + 30 * SECOND, None)
    assert balance_of(account).is_stale


@pytest.mark.parametrize("stated", ["1000.50", "950.50", "1000.5000"])
def test_later_transaction_with_the_balance_that_was_read_agrees(
    account: Account, read_at: datetime, stated: str
) -> None:
    book(account, read_at + 30 * SECOND, stated)
    assert not balance_of(account).is_stale


def test_earlier_transaction_does_not_contradict(account: Account, read_at: datetime) -> None:
    book(account, read_at - 30 * SECOND, "982.00")
    assert not balance_of(account).is_stale


def test_whole_second_of_the_provider_may_be_later_than_a_reading_within_it(
    account: Account, read_at: datetime
) -> None:
    book(account, read_at.replace(microsecond=0), "982.00")
    assert balance_of(account).is_stale


def test_transaction_without_a_readable_time_does_not_contradict(
    account: Account, read_at: datetime
) -> None:
    book(account, None, "982.00")
    assert not balance_of(account).is_stale


def test_last_of_several_transactions_in_one_second_counts(
    account: Account, read_at: datetime
) -> None:
    for number, balance in ((10, "1000.50"), (9, "999.60")):
        book(account, read_at + 30 * SECOND, balance, number)
    assert not balance_of(account).is_stale


def test_times_are_corrected_by_the_skew_of_the_providers_clock(
    account: Account, read_at: datetime
) -> None:
    hour = timedelta(hours=1)
    make_rented(account, answered_at=read_at, created_there=read_at - hour)
    book(account, read_at + 30 * SECOND - hour, "982.00")
    assert balance_of(account).is_stale


def test_accounts_do_not_share_transactions(account: Account, read_at: datetime) -> None:
    other = make_account("gosms")
    BalanceReading.objects.create(account=other, balance=Decimal(5), read_at=read_at)
    book(other, read_at + 30 * SECOND, "4.10")
    found = balances_of([account, other])
    assert not found[account.pk].is_stale
    assert found[other.pk].is_stale
