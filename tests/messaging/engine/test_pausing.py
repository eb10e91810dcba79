"""Refused credentials, a disabled account or no balance pause the account.

One message fails, and the rest stays queued."""

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


def make_queued(account: Account, count: int = 3) -> list[Message]:
    kind = {"haosms": "own_code", "otpservice": "provider_code"}.get(account.provider, "text")
    return [make_message(account, kind=kind) for _ in range(count)]


def states_of(messages: list[Message]) -> list[str]:
    pks = [message.pk for message in messages]
    rows = Message.objects.filter(pk__in=pks).order_by("pk")
    return list(rows.values_list("state", flat=True))


PAUSING = [
    ("otpservice", {}, {"password": "wrong"}, "credentials"),
    ("otpservice", {"active": False}, {}, "account_disabled"),
]


@pytest.mark.parametrize(("provider", "provider_fields", "credentials", "reason"), PAUSING)
def test_documented_refusal_pauses_the_account_and_keeps_the_rest_queued(
    sandbox: Sandbox,
    provider: str,
    provider_fields: dict[str, Any],
    credentials: dict[str, str],
    reason: str,
) -> None:
    account = make_account(provider, sandbox, in_flight=1)
    sandbox.change_account(provider, **provider_fields)
    accounts.save_credentials(account, credentials)
    messages = make_queued(account)

    run_engine(lambda: Account.objects.filter(pk=account.pk).exclude(paused_at=None).exists())
    run_rounds()

    account.refresh_from_db()
    assert account.pause_reason == reason
    assert account.pause_words
    assert states_of(messages) == ["refused", "queued", "queued"]
    assert len(sandbox.book.entries(provider)) == 1


@pytest.mark.parametrize(
    ("provider", "provider_fields", "phrase"),
    [
        ("haosms", {"balance": 0}, "余额不足"),
        ("haosms", {"active": False}, "账号已禁用"),
        ("haorui", {"balance": 0}, "insufficient BALANCE"),
        ("haorui", {"active": False}, "not active"),
    ],
)
def test_pausing_phrase_pauses_the_account(
    sandbox: Sandbox, provider: str, provider_fields: dict[str, Any], phrase: str
) -> None:
    account = make_account(provider, sandbox, in_flight=1, pausing_phrases=f"\n {phrase} \n")
    sandbox.change_account(provider, **provider_fields)
    messages = make_queued(account)

    run_engine(lambda: Account.objects.filter(pk=account.pk).exclude(paused_at=None).exists())
    run_rounds()

    assert states_of(messages) == ["refused", "queued", "queued"]
    assert len(sandbox.book.entries(provider)) == 1


def test_other_refusal_does_not_pause_the_account(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox, pausing_phrases="no money")
    sandbox.change_account("haorui", balance=0)

    message = send(make_message(account))

    account.refresh_from_db()
    assert (message.state, account.is_paused) == ("refused", False)


def test_message_of_a_paused_account_is_not_claimed(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox)
    accounts.pause(account, "by_hand", by=make_user())
    messages = make_queued(account)

    run_rounds()

    assert states_of(messages) == ["queued"] * 3
    assert sandbox.book.entries() == []


def test_pause_does_not_stop_another_account(sandbox: Sandbox) -> None:
    accounts.pause(make_message(make_account("haorui", sandbox)).account, "by_hand")
    assert send(make_message(make_account("haorui", sandbox))).state == MessageState.SUBMITTED


def test_queued_message_is_sent_after_resume(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox)
    accounts.pause(account, "by_hand")
    message = make_message(account)
    run_rounds()

    accounts.resume(account)

    assert send(message).state == MessageState.SUBMITTED


def test_successful_check_by_a_person_resumes_the_account(sandbox: Sandbox) -> None:
    account = make_account("haosms", sandbox, in_flight=1, pausing_phrases="余额不足")
    sandbox.change_account("haosms", balance=0)
    first, *rest = make_queued(account)
    send(first)
    assert states_of(rest) == ["queued", "queued"]
    sandbox.change_account("haosms", balance=100)

    account_checks.request_check(account, Enquiry.Kind.CHECK, make_user())
    for message in rest:
        send(message)

    account.refresh_from_db()
    assert not account.is_paused
    assert states_of([first, *rest]) == ["refused", "submitted", "submitted"]


@pytest.mark.parametrize(
    ("kind", "by_person"), [(Enquiry.Kind.BALANCE, False), (Enquiry.Kind.BALANCE, True)]
)
def test_balance_is_read_while_paused_and_does_not_resume(
    sandbox: Sandbox, kind: Enquiry.Kind, by_person: bool
) -> None:
    account = make_account("haosms", sandbox)
    accounts.pause(account, "no_balance")

    account_checks.request_check(account, kind, make_user() if by_person else None)
    run_engine(BalanceReading.objects.exists)

    account.refresh_from_db()
    assert account.is_paused


def test_login_refused_by_a_balance_reading_pauses_the_account(sandbox: Sandbox) -> None:
    account = make_account("gosms", sandbox, credentials={"api_key": "ch_wrong"})

    account_checks.request_check(account, Enquiry.Kind.BALANCE)
    run_engine(Enquiry.objects.filter(state="failed").exists)

    account.refresh_from_db()
    assert account.pause_reason == "credentials"


def test_first_pause_reason_is_kept() -> None:
    account = make_account()
    assert accounts.pause(account, "no_balance", "first words")
    assert not accounts.pause(account, "credentials", "second words")
    assert (account.pause_reason, account.pause_words) == ("no_balance", "first words")


def test_pause_by_hand_replaces_an_automatic_pause() -> None:
    account, by = make_account(), make_user()
    accounts.pause(account, "no_balance", "first words")
    assert accounts.pause(account, accounts.BY_HAND, "second words", by)
    assert not accounts.pause(account, "no_balance", "third words")
    assert (account.pause_reason, account.pause_words, account.paused_by) == (
        accounts.BY_HAND,
        "second words",
        by,
    )
