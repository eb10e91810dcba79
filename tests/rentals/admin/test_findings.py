"""The ledger check's page says that the books agree only as far as they were compared."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from core.stored_texts import from_staff
from providers.models import Account
from rentals import ledger
from rentals.models import Finding, Reading, Transaction
from tests.factories.accounts import make_account
from tests.factories.staff import make_user
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

LIST: Final = reverse("admin:rentals_finding_changelist")
CHECK: Final = reverse("admin:rentals_finding_check")
TICK: Final = "task_alt"
NOT_ALL: Final = "No differences found in what could be compared;"


@pytest.fixture
def manager() -> Browser:
    return browser_of(member("manager"))


def read_transactions(account: Account, *, complete: bool = True) -> Reading:
    now = timezone.now()
    return Reading.objects.create(
        account=account,
        kind="transactions",
        state="done",
        complete=complete,
        started_at=now,
        ended_at=now,
    )


def compared_account() -> Account:
    account = make_account("gosms")
    read_transactions(account)
    ledger.check(account)
    return account


def shown_to(browser: Browser) -> str:
    return browser.get(f"{LIST}?open=open").content.decode()


def test_tick_is_shown_once_every_account_was_compared(manager: Browser) -> None:
    compared_account()
    page = shown_to(manager)
    assert TICK in page
    assert "No differences." in page
    assert "everything agrees up to" in page
    assert "Clear filters" not in page


def test_no_tick_while_one_account_was_never_read(manager: Browser) -> None:
    compared_account()
    make_account("gosms")
    page = shown_to(manager)
    assert TICK not in page
    assert f"{NOT_ALL} 1 account could not be compared." in page
    assert "empty-state-warning" in page


def test_no_tick_while_one_account_was_read_in_part(manager: Browser) -> None:
    compared_account()
    read_transactions(make_account("gosms"), complete=False)
    page = shown_to(manager)
    assert TICK not in page
    assert NOT_ALL in page


def test_no_tick_if_transactions_were_read_but_not_compared(manager: Browser) -> None:
    read_transactions(make_account("gosms"))
    page = shown_to(manager)
    assert TICK not in page
    assert "Nothing has been compared yet." in page
    assert "have been read but not been compared yet" in page


def test_no_tick_without_any_account(manager: Browser) -> None:
    page = shown_to(manager)
    assert TICK not in page
    assert "Nothing was compared: no account rents numbers." in page


def test_later_reading_does_not_move_what_was_compared(manager: Browser) -> None:
    account = compared_account()
    first = ledger.comparisons([account])[0].compared_up_to
    read_transactions(account)
    assert ledger.comparisons([account])[0].compared_up_to == first
    ledger.check(account)
    assert ledger.comparisons([account])[0].compared_up_to != first


def test_account_with_a_finding_does_not_agree(manager: Browser) -> None:
    account, other = compared_account(), compared_account()
    book_unmatched_hold(account)
    ledger.check(account)
    page = strip_tags(shown_to(manager))
    assert f"{account.name}: compared up to" in page
    assert f"{other.name}: everything agrees up to" in page


def test_explained_differences_are_not_called_agreement(manager: Browser) -> None:
    account = compared_account()
    book_unmatched_hold(account)
    (finding,) = ledger.check(account)
    ledger.explain(finding, make_user(), from_staff("Rented elsewhere"))
    page = shown_to(manager)
    assert "every difference has been explained" in page
    assert "everything agrees" not in page


def test_check_says_what_it_could_not_compare(manager: Browser) -> None:
    read_transactions(make_account("gosms"))
    make_account("gosms")
    page = manager.post(CHECK, follow=True).content.decode()
    assert "Check finished. No open findings." not in page
    assert NOT_ALL in page


def book_unmatched_hold(account: Account) -> None:
    Transaction.objects.create(
        account=account,
        provider_id="1",
        type="Hold",
        amount=Decimal("0.50"),
        order_provider_id="77",
        created_there=timezone.now() - timedelta(hours=1),
    )
    assert not Finding.objects.exists()


def test_other_filters_without_a_row_are_called_too_narrow(manager: Browser) -> None:
    compared_account()
    page = manager.get(f"{LIST}?open=explained").content.decode()
    assert "Nothing matches these filters." in page
    assert "empty-state-warning" not in page
