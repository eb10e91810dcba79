"""Questions that cost nothing: is the login right, how much money is there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

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


def answered(enquiry: Enquiry) -> Enquiry:
    open_one = Enquiry.objects.filter(pk=enquiry.pk, state__in=("queued", "claimed"))
    run_engine(lambda: not open_one.exists())
    enquiry.refresh_from_db()
    return enquiry


def asked(account: Account, kind: Enquiry.Kind = BALANCE) -> Enquiry:
    return answered(account_checks.ask(account, kind, make_user()))


# --- answers -----------------------------------------------------------------


def test_gosms_states_every_amount_and_its_kind_of_billing(sandbox: Sandbox) -> None:
    sandbox.change_account("gosms", balance=Decimal("88.1250"), frozen="1.5", credit_limit=100)
    reading = asked(make_account("gosms", sandbox)).reading
    assert reading is not None
    assert (reading.balance, reading.frozen) == (Decimal("88.125"), Decimal("1.5"))
    assert (reading.available, reading.credit_limit) == (Decimal("86.625"), Decimal(100))
    assert (reading.billing_type, reading.is_active) == ("postpaid", True)


def test_haosms_states_a_balance_and_nothing_else(sandbox: Sandbox) -> None:
    sandbox.change_account("haosms", balance=Decimal("12.34"))
    reading = asked(make_account("haosms", sandbox)).reading
    assert reading is not None
    assert (reading.balance, reading.spendable) == (Decimal("12.34"), Decimal("12.34"))
    assert (reading.frozen, reading.available, reading.credit_limit) == (None, None, None)
    assert (reading.billing_type, reading.is_active) == ("", None)


def test_what_is_available_counts_before_the_balance() -> None:
    assert BalanceReading(balance=10, available=7).spendable == 7


@pytest.mark.parametrize(
    ("provider", "operations"),
    [("haosms", ["fetch_balance"]), ("gosms", ["fetch_balance", "fetch_profile"])],
)
def test_every_call_is_in_the_journal(
    sandbox: Sandbox, provider: str, operations: list[str]
) -> None:
    enquiry = asked(make_account(provider, sandbox), CHECK)
    calls = ApiCall.objects.filter(subject=f"enquiry:{enquiry.pk}")
    assert sorted(calls.values_list("operation", flat=True)) == operations


@pytest.mark.parametrize("provider", ["haorui", "otpservice"])
@pytest.mark.parametrize("kind", [CHECK, BALANCE])
def test_where_nothing_can_be_asked_without_sending_nothing_is(
    sandbox: Sandbox, provider: str, kind: Enquiry.Kind
) -> None:
    enquiry = account_checks.ask(make_account(provider, sandbox), kind, make_user())
    assert (enquiry.state, enquiry.reason) == ("answered", "nothing_to_check")
    assert not OrmQ.objects.exists()


def test_an_account_whose_provider_was_removed_cannot_be_asked() -> None:
    assert not account_checks.can_be_asked(Account(provider="carrier_pigeon").client)


# --- failures ----------------------------------------------------------------


def test_a_wrong_key_fails_in_the_words_of_the_provider(sandbox: Sandbox) -> None:
    enquiry = asked(make_account("gosms", sandbox, credentials={"api_key": "ch_wrong"}))
    assert (enquiry.state, enquiry.reason) == ("failed", "credentials")
    assert "未授权" in enquiry.words


def test_a_disabled_account_fails(sandbox: Sandbox) -> None:
    sandbox.change_account("gosms", active=False)
    assert asked(make_account("gosms", sandbox)).reason == "account_disabled"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("redirect_301", "redirected"), ("json_list", "unreadable"), ("contradiction", "no_balance")],
)
def test_a_fault_has_its_reason(sandbox: Sandbox, fault: str, reason: str) -> None:
    account = make_account("gosms", sandbox)
    sandbox.fault(fault, provider="gosms", calls=None)
    enquiry = asked(account)
    assert (enquiry.state, enquiry.reason) == ("failed", reason)


def test_a_question_is_put_again_after_a_fault_that_passes(sandbox: Sandbox) -> None:
    sandbox.fault("reset_before", provider="haosms")
    assert asked(make_account("haosms", sandbox)).state == "answered"


# --- asking ------------------------------------------------------------------


def test_a_question_that_waits_is_not_put_twice() -> None:
    account = make_account("haosms")
    assert account_checks.ask(account, CHECK).pk == account_checks.ask(account, CHECK).pk


def test_the_two_questions_wait_beside_each_other() -> None:
    account = make_account("haosms")
    assert account_checks.ask(account, CHECK).pk != account_checks.ask(account, BALANCE).pk


def test_a_question_wakes_the_engine() -> None:
    account_checks.ask(make_account("haosms"), CHECK)
    assert OrmQ.objects.filter(key="engine").count() == 1


def test_every_account_that_can_be_asked_is_asked_by_the_schedule() -> None:
    for provider in ("haosms", "gosms", "haorui", "otpservice"):
        make_account(provider)
    assert account_checks.read_all_balances() == 2
    assert set(Enquiry.objects.values_list("account__provider", flat=True)) == {"haosms", "gosms"}


# --- what nobody waits for any more ------------------------------------------


def sweep(**changes: object) -> Enquiry:
    enquiry = account_checks.ask(make_account("haosms"), CHECK)
    Enquiry.objects.filter(pk=enquiry.pk).update(**changes)
    account_checks.EnquirySource().sweep()
    enquiry.refresh_from_db()
    return enquiry


def ago(seconds: int) -> object:
    return timezone.now() - timedelta(seconds=seconds)


def test_a_question_that_nobody_took_up_is_closed() -> None:
    enquiry = sweep(asked_at=ago(241))
    assert (enquiry.state, enquiry.reason) == ("failed", "too_late")


def test_a_young_question_stays_open() -> None:
    assert sweep(asked_at=ago(230)).state == "queued"


def test_a_question_whose_loop_died_is_put_again() -> None:
    enquiry = sweep(state="claimed", claim=uuid4(), claimed_at=ago(121))
    assert (enquiry.state, enquiry.claim) == ("queued", None)


def test_a_question_under_way_is_left_alone() -> None:
    assert sweep(state="claimed", claim=uuid4(), claimed_at=ago(60)).state == "claimed"


# --- a check that ends a pause -----------------------------------------------


def paused(sandbox: Sandbox, provider: str = "gosms") -> Account:
    account = make_account(provider, sandbox)
    Account.objects.filter(pk=account.pk).update(paused_at=timezone.now())
    return account


def is_paused(account: Account) -> bool:
    account.refresh_from_db()
    return account.is_paused


def test_a_check_by_a_person_that_goes_well_ends_the_pause(sandbox: Sandbox) -> None:
    account = paused(sandbox)
    asked(account, CHECK)
    assert not is_paused(account)


def test_a_check_that_nobody_asked_for_ends_no_pause(sandbox: Sandbox) -> None:
    account = paused(sandbox)
    answered(account_checks.ask(account, CHECK))
    assert is_paused(account)


def test_a_check_that_fails_ends_no_pause(sandbox: Sandbox) -> None:
    account = paused(sandbox)
    sandbox.change_account("gosms", active=False)
    asked(account, CHECK)
    assert is_paused(account)


def test_the_newest_reading_is_the_one_shown() -> None:
    account = make_account("haosms")
    for balance in (1, 2):
        BalanceReading.objects.create(account=account, balance=balance)
    latest = account_checks.latest_reading(account)
    assert latest is not None
    assert latest.balance == 2
