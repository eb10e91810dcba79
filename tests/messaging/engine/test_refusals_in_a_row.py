"""Ten refusals in a row pause an account, since a free-text refusal alone has no clear meaning."""

from __future__ import annotations

import pytest

from messaging.models import Message
from providers import accounts
from providers.gateway.vocabulary import Reason
from providers.models import Account, DailyLimit
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.engine import run_engine

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = "+8613900999001"
"""The sandbox refuses this number with a free text."""


@pytest.fixture(autouse=True)
def many_codes_for_one_number() -> None:
    DailyLimit.objects.create(scope="number", key="*", what="codes", window="hour", most=100)
    DailyLimit.objects.create(scope="number", key="*", what="codes", window="day", most=100)


def send_until_refused(count: int) -> None:
    run_engine(lambda: Message.objects.filter(state="refused").count() >= count)


def test_ten_refusals_in_a_row_pause_the_account_with_the_provider_words(sandbox: Sandbox) -> None:
    account = make_account("haosms", sandbox, in_flight=1)
    for _ in range(14):
        make_message(account, kind="own_code", recipient=REFUSED)
    run_engine(lambda: Account.objects.get(pk=account.pk).is_paused)
    account.refresh_from_db()
    assert account.pause_reason == accounts.REFUSED_IN_A_ROW
    assert account.pause_words
    assert Message.objects.filter(state="refused").count() in (10, 11)
    assert Message.objects.filter(state="queued").count() in (3, 4)


def test_success_resets_the_count(sandbox: Sandbox) -> None:
    account = make_account("haosms", sandbox, in_flight=1)
    for _ in range(2):
        for _ in range(7):
            make_message(account, kind="own_code", recipient=REFUSED)
        make_message(account, kind="own_code")
    send_until_refused(14)
    account.refresh_from_db()
    assert not account.is_paused


def test_resume_resets_the_count(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox)
    Account.objects.filter(pk=account.pk).update(refusals=9)
    account.refresh_from_db()
    accounts.record_refusal(account, "no")
    accounts.resume(account)
    account.refresh_from_db()
    assert account.refusals == 0


def test_ten_answers_from_nowhere_pause_the_account_for_its_address(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox)
    Account.objects.filter(pk=account.pk).update(refusals=9)
    accounts.record_refusal(account, "", Reason.NOTHING_THERE)
    account.refresh_from_db()
    assert account.pause_reason == Reason.NOTHING_THERE
