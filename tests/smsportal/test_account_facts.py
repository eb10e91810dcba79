"""Dashboard, list, page and forms state the same facts about an account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from html import unescape
from re import sub
from typing import Final

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from core.admin.labels import label_for
from providers import accounts
from providers.account_facts import facts_about
from providers.models import Account, Allowance, BalanceReading
from providers.presentation.balance_texts import balance_cell
from rentals.models import Transaction
from tests.factories.accounts import make_account
from tests.factories.staff import make_user
from tests.support.signed_in import browser_of, member

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

DASHBOARD: Final = reverse("admin:index")
LIST: Final = reverse("admin:providers_account_changelist")
RENT: Final = reverse("admin:rentals_order_rent")


def nothing_known(account: Account) -> None:
    """An account that was added and never used."""


def read(account: Account) -> None:
    BalanceReading.objects.create(account=account, balance=Decimal("1000.50"))


def run_low(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(low_balance=Decimal(2000))
    read(account)


def slow_down(account: Account) -> None:
    until = timezone.now() + timedelta(minutes=1)
    Allowance.objects.filter(account=account).update(slow_until=until.timestamp())


def pause(account: Account) -> None:
    read(account)
    accounts.pause(account, accounts.BY_HAND, "maintenance", make_user())


def spend_since(account: Account) -> None:
    read(account)
    Transaction.objects.create(
        account=account,
        provider_id="7",
        type="Hold",
        amount=Decimal("18.50"),
        balance_after=Decimal("982.00"),
        created_there=timezone.now() + timedelta(seconds=1),
    )


def read_without_amount(account: Account) -> None:
    BalanceReading.objects.create(account=account)


STATES: Final[dict[Callable[[Account], None], str]] = {
    nothing_known: "unchecked",
    read: "active",
    run_low: "low",
    slow_down: "waiting",
    pause: "paused",
    spend_since: "active",
    read_without_amount: "active",
}


@pytest.fixture
def manager() -> Browser:
    return browser_of(member("manager"))


def text_of(browser: Browser, url: str) -> str:
    """The words of a page, without its markup."""
    answer = browser.get(url)
    assert answer.status_code == 200
    return plain(answer.content.decode())


def plain(html: str) -> str:
    return " ".join(unescape(sub(r"<[^>]+>", " ", html)).split())


@pytest.mark.parametrize("happen", STATES, ids=lambda happen: happen.__name__)
@pytest.mark.parametrize("provider", ["gosms", "haosms", "haorui", "otpservice"])
def test_every_page_shows_the_same_state_and_balance(
    manager: Browser, happen: Callable[[Account], None], provider: str
) -> None:
    account = make_account(provider, name="The account")
    happen(account)
    account.refresh_from_db()
    facts = facts_about(account)
    word = str(label_for("account", facts.state).word)
    cell = plain(str(balance_cell(facts.balance)))
    assert facts.state == STATES[happen]
    for url in (DASHBOARD, LIST):
        shown = text_of(manager, url)
        assert word in shown
        assert cell in shown
    page = text_of(manager, reverse("admin:providers_account_change", args=[account.public_id]))
    assert word in page
    assert ("1,000.50" in page) is (facts.balance.amount is not None)


@pytest.mark.parametrize("provider", ["gosms", "haosms", "haorui", "otpservice"])
def test_missing_balance_is_not_provided_or_not_read_yet(manager: Browser, provider: str) -> None:
    make_account(provider)
    missing = {"haorui": "not provided", "otpservice": "not provided"}.get(provider, "not read yet")
    for url in (DASHBOARD, LIST):
        shown = text_of(manager, url)
        others = {"not provided", "not read yet"} - {missing}
        assert missing in shown
        assert not any(other in shown for other in others)


def test_stale_balance_is_marked_wherever_it_is_shown(manager: Browser) -> None:
    account = make_account("gosms")
    spend_since(account)
    pages = (
        DASHBOARD,
        LIST,
        reverse("admin:providers_account_change", args=[account.public_id]),
        reverse("admin:rentals_transaction_changelist"),
        RENT,
    )
    for url in pages:
        shown = text_of(manager, url)
        assert "1,000.50" in shown
        assert "Out of date: a transaction at" in shown
        assert "states 982.00." in shown


def test_read_now_reads_the_balance_with_the_transactions(manager: Browser) -> None:
    account = make_account("gosms")
    manager.post(
        reverse("admin:rentals_transaction_read"), {"account": account.public_id}, follow=True
    )
    assert {reading.kind for reading in account.list_readings.all()} == {"orders", "transactions"}
    assert [enquiry.kind for enquiry in account.enquiries.all()] == ["balance"]


def test_old_balance_is_still_shown_with_the_transactions(manager: Browser) -> None:
    account = make_account("gosms")
    read(account)
    BalanceReading.objects.update(read_at=timezone.now() - timedelta(days=30))
    assert "1,000.50" in text_of(manager, reverse("admin:rentals_transaction_changelist"))
