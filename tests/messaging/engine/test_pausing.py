"""Credentials refused, account disabled, no money: one message fails, the rest waits."""

from __future__ import annotations

from typing import Any

import pytest

from messaging.models import Message
from messaging.states import MessageState
from providers import account_checks, accounts
from providers.models import Account, BalanceReading, Enquiry
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user
from tests.support.engine import run_engine, run_rounds, send

pytestmark = pytest.mark.django_db(transaction=True)


def waiting(account: Account, times: int = 3) -> list[Message]:
    kind = {"haosms": "own_code", "otpservice": "provider_code"}.get(account.provider, "text")
    return [make_message(account, kind=kind) for _ in range(times)]


def states(messages: list[Message]) -> list[str]:
    pks = [message.pk for message in messages]
    rows = Message.objects.filter(pk__in=pks).order_by("pk")
    return list(rows.values_list("state", flat=True))


PAUSING = [
    ("otpservice", {}, {"password": "wrong"}, "credentials"),
    ("otpservice", {"active": False}, {}, "account_disabled"),
]


@pytest.mark.parametrize(("provider", "there", "here", "reason"), PAUSING)
def test_one_documented_refusal_pauses_the_account_and_the_rest_waits_untouched(
    sandbox: Sandbox, provider: str, there: dict[str, Any], here: dict[str, str], reason: str
) -> None:
    account = make_account(provider, sandbox, in_flight=1)
    sandbox.change_account(provider, **there)
    accounts.save_credentials(account, here)
    messages = waiting(account)

    run_engine(lambda: Account.objects.filter(pk=account.pk).exclude(paused_at=None).exists())
    run_rounds()

    account.refresh_from_db()
    assert account.pause_reason == reason
    assert account.pause_words
    assert states(messages) == ["refused", "queued", "queued"]
    assert len(sandbox.book.entries(provider)) == 1


@pytest.mark.parametrize(
    ("provider", "there", "phrase"),
    [
        ("haosms", {"balance": 0}, "余额不足"),
        ("haosms", {"active": False}, "账号已禁用"),
        ("haorui", {"balance": 0}, "insufficient BALANCE"),
        ("haorui", {"active": False}, "not active"),
    ],
)
def test_a_phrase_that_staff_listed_pauses_the_account(
    sandbox: Sandbox, provider: str, there: dict[str, Any], phrase: str
) -> None:
    account = make_account(provider, sandbox, in_flight=1, pausing_phrases=f"\n {phrase} \n")
    sandbox.change_account(provider, **there)
    messages = waiting(account)

    run_engine(lambda: Account.objects.filter(pk=account.pk).exclude(paused_at=None).exists())
    run_rounds()

    assert states(messages) == ["refused", "queued", "queued"]
    assert len(sandbox.book.entries(provider)) == 1


def test_other_refusals_pause_nothing(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, pausing_phrases="no money")
    sandbox.change_account("haorui", balance=0)

    message = send(make_message(account))

    account.refresh_from_db()
    assert (message.state, account.is_paused) == ("refused", False)


def test_a_message_of_a_paused_account_is_not_claimed(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox)
    accounts.pause(account, "by_hand", by=make_user())
    messages = waiting(account)

    run_rounds()

    assert states(messages) == ["queued"] * 3
    assert sandbox.book.entries() == []


def test_another_account_goes_on_while_one_is_paused(sandbox: Sandbox) -> None:
    accounts.pause(make_message(make_account("haorui", sandbox)).account, "by_hand")
    assert send(make_message(make_account("haorui", sandbox))).state == MessageState.SUBMITTED


def test_what_waited_goes_out_after_a_person_resumed(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox)
    accounts.pause(account, "by_hand")
    message = make_message(account)
    run_rounds()

    accounts.resume(account)

    assert send(message).state == MessageState.SUBMITTED


def test_a_check_that_a_person_asked_for_resumes_and_the_rest_goes_out(sandbox: Sandbox) -> None:
    account = make_account("haosms", sandbox, in_flight=1, pausing_phrases="余额不足")
    sandbox.change_account("haosms", balance=0)
    first, *rest = waiting(account)
    send(first)
    assert states(rest) == ["queued", "queued"]
    sandbox.change_account("haosms", balance=100)

    account_checks.request_check(account, Enquiry.Kind.CHECK, make_user())
    for message in rest:
        send(message)

    account.refresh_from_db()
    assert not account.is_paused
    assert states([first, *rest]) == ["refused", "submitted", "submitted"]


@pytest.mark.parametrize(
    ("kind", "by_person"), [(Enquiry.Kind.BALANCE, False), (Enquiry.Kind.BALANCE, True)]
)
def test_reading_a_balance_goes_on_while_paused_and_resumes_nothing(
    sandbox: Sandbox, kind: Enquiry.Kind, by_person: bool
) -> None:
    account = make_account("haosms", sandbox)
    accounts.pause(account, "no_balance")

    account_checks.request_check(account, kind, make_user() if by_person else None)
    run_engine(BalanceReading.objects.exists)

    account.refresh_from_db()
    assert account.is_paused


def test_a_refused_login_found_by_reading_pauses_as_well(sandbox: Sandbox) -> None:
    account = make_account("gosms", sandbox, credentials={"api_key": "ch_wrong"})

    account_checks.request_check(account, Enquiry.Kind.BALANCE)
    run_engine(Enquiry.objects.filter(state="failed").exists)

    account.refresh_from_db()
    assert account.pause_reason == "credentials"


def test_the_first_reason_for_a_pause_stands() -> None:
    account = make_account()
    assert accounts.pause(account, "no_balance", "first words")
    assert not accounts.pause(account, "credentials", "second words")
    assert (account.pause_reason, account.pause_words) == ("no_balance", "first words")


def test_a_pause_by_hand_takes_the_place_of_one_that_a_good_check_would_end() -> None:
    account, by = make_account(), make_user()
    accounts.pause(account, "no_balance", "first words")
    assert accounts.pause(account, accounts.BY_HAND, "second words", by)
    assert not accounts.pause(account, "no_balance", "third words")
    assert (account.pause_reason, account.pause_words, account.paused_by) == (
        accounts.BY_HAND,
        "second words",
        by,
    )
