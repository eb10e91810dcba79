"""Account checks: the login and the balance, read without sending anything."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from providers import account_checks
from providers.models import Account, ApiCall, BalanceReading, Enquiry
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.staff import make_user
from tests.support.engine import run_engine

pytestmark = pytest.mark.django_db(transaction=True)
CHECK, BALANCE = Enquiry.Kind.CHECK, Enquiry.Kind.BALANCE


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def run_check(enquiry: Enquiry) -> Enquiry:
    """Run the engine until it has answered the enquiry."""
    open_one = Enquiry.objects.filter(pk=enquiry.pk, state__in=("queued", "claimed"))
    run_engine(lambda: not open_one.exists())
    enquiry.refresh_from_db()
    return enquiry


def check(account: Account, kind: Enquiry.Kind = BALANCE) -> Enquiry:
    return run_check(account_checks.request_check(account, kind, make_user()))


# --- answers -----------------------------------------------------------------


def test_gosms_reading_has_all_amounts_and_the_billing_type(sandbox: Sandbox) -> None:
    sandbox.change_account("gosms", balance=Decimal("88.1250"), frozen="1.5", credit_limit=100)
    reading = check(make_account("gosms", sandbox)).reading
    assert reading is not None
    assert (reading.balance, reading.frozen) == (Decimal("88.125"), Decimal("1.5"))
    assert (reading.available, reading.credit_limit) == (Decimal("86.625"), Decimal(100))
    assert (reading.billing_type, reading.is_active) == ("postpaid", True)


def test_haosms_reading_has_only_a_balance(sandbox: Sandbox) -> None:
    sandbox.change_account("haosms", balance=Decimal("12.34"))
    reading = check(make_account("haosms", sandbox)).reading
    assert reading is not None
    assert (reading.balance, reading.spendable) == (Decimal("12.34"), Decimal("12.34"))
    assert (reading.frozen, reading.available, reading.credit_limit) == (None, None, None)
    assert (reading.billing_type, reading.is_active) == ("", None)


def test_available_amount_takes_precedence_over_the_balance() -> None:
    assert BalanceReading(balance=10, available=7).spendable == 7


@pytest.mark.parametrize(
    ("provider", "operations"),
    [("haosms", ["fetch_balance"]), ("gosms", ["fetch_balance", "fetch_profile"])],
)
def test_every_call_of_a_check_is_in_the_journal(
    sandbox: Sandbox, provider: str, operations: list[str]
) -> None:
    enquiry = check(make_account(provider, sandbox), CHECK)
    calls = ApiCall.objects.filter(subject=f"enquiry:{enquiry.pk}")
    assert sorted(calls.values_list("operation", flat=True)) == operations


@pytest.mark.parametrize("provider", ["haorui", "otpservice"])
@pytest.mark.parametrize("kind", [CHECK, BALANCE])
def test_provider_without_a_free_call_is_not_called(
    sandbox: Sandbox, provider: str, kind: Enquiry.Kind
) -> None:
    enquiry = account_checks.request_check(make_account(provider, sandbox), kind, make_user())
    assert (enquiry.state, enquiry.reason) == ("answered", "nothing_to_check")
    assert not OrmQ.objects.exists()


def test_account_of_a_removed_provider_is_not_checkable() -> None:
    assert not account_checks.is_checkable(Account(provider="carrier_pigeon").client)


# --- failures ----------------------------------------------------------------


def test_wrong_key_fails_with_the_providers_words(sandbox: Sandbox) -> None:
    enquiry = check(make_account("gosms", sandbox, credentials={"api_key": "ch_wrong"}))
    assert (enquiry.state, enquiry.reason) == ("failed", "credentials")
    assert "未授权" in enquiry.words


def test_check_of_a_disabled_account_fails(sandbox: Sandbox) -> None:
    sandbox.change_account("gosms", active=False)
    assert check(make_account("gosms", sandbox)).reason == "account_disabled"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("redirect_301", "redirected"), ("json_list", "unreadable"), ("contradiction", "no_balance")],
)
def test_fault_is_stored_as_a_reason(sandbox: Sandbox, fault: str, reason: str) -> None:
    account = make_account("gosms", sandbox)
    sandbox.fault(fault, provider="gosms", calls=None)
    enquiry = check(account)
    assert (enquiry.state, enquiry.reason) == ("failed", reason)


def test_check_is_repeated_after_a_transient_fault(sandbox: Sandbox) -> None:
    sandbox.fault("reset_before", provider="haosms")
    assert check(make_account("haosms", sandbox)).state == "answered"


# --- requests ----------------------------------------------------------------


def test_open_check_is_not_duplicated() -> None:
    account = make_account("haosms")
    first, second = (account_checks.request_check(account, CHECK) for _ in range(2))
    assert first.pk == second.pk


def test_checks_of_different_kinds_are_queued_separately() -> None:
    account = make_account("haosms")
    first, second = (account_checks.request_check(account, kind) for kind in (CHECK, BALANCE))
    assert first.pk != second.pk


def test_requested_check_wakes_the_engine() -> None:
    account_checks.request_check(make_account("haosms"), CHECK)
    assert OrmQ.objects.filter(key="engine").count() == 1


def test_schedule_requests_the_balance_of_every_checkable_account() -> None:
    for provider in ("haosms", "gosms", "haorui", "otpservice"):
        make_account(provider)
    assert account_checks.request_all_balances() == 2
    assert set(Enquiry.objects.values_list("account__provider", flat=True)) == {"haosms", "gosms"}


# --- a check that ends a pause -----------------------------------------------


def make_paused(sandbox: Sandbox, provider: str = "gosms") -> Account:
    account = make_account(provider, sandbox)
    Account.objects.filter(pk=account.pk).update(paused_at=timezone.now())
    return account


def is_paused(account: Account) -> bool:
    account.refresh_from_db()
    return account.is_paused


def test_successful_check_by_a_person_ends_the_pause(sandbox: Sandbox) -> None:
    account = make_paused(sandbox)
    check(account, CHECK)
    assert not is_paused(account)


def test_scheduled_check_does_not_end_the_pause(sandbox: Sandbox) -> None:
    account = make_paused(sandbox)
    run_check(account_checks.request_check(account, CHECK))
    assert is_paused(account)


def test_failed_check_does_not_end_the_pause(sandbox: Sandbox) -> None:
    account = make_paused(sandbox)
    sandbox.change_account("gosms", active=False)
    check(account, CHECK)
    assert is_paused(account)
