"""The state of a message after a fault of the provider or the connection, over real HTTP.

Every fault of the sandbox is applied to each of the three kinds of message. The rule: a call that
certainly did nothing may be tried again, a refusal is final, and everything without a clear
answer is unknown and never repeated.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from messaging.models import Message
from messaging.states import MessageState
from providers import rate_limits
from providers.engine.loop import DEADLINES
from providers.models import Account, Allowance
from sandbox.faults import CATALOGUE
from sandbox.server import Sandbox, discover
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.engine import IMPATIENT, is_settled, run_engine, run_rounds, send

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = {"haorui": "text", "haosms": "own_code", "otpservice": "provider_code"}
SUBMITTED, UNKNOWN, NOT_SENT = MessageState.SUBMITTED, MessageState.UNKNOWN, MessageState.NOT_SENT

ACCEPTED = {"odd_text", "contradiction"}
"""Faults whose answer is odd but accepts the message."""
CLOSED_CONNECTIONS = {"keep_alive_closed", "keep_alive_reset"}
"""Faults that leave the answer whole; only the next call on the connection could fail."""
REDIRECTS = {"redirect_301", "redirect_307", "redirect_308"}
discover()  # Providers register the faults.
RATE_LIMITS = {"too_many", "too_many_retry_after"}
FAULTS = sorted(
    fault.id
    for fault in CATALOGUE.values()
    if fault.kind == "answer" and fault.id not in RATE_LIMITS | CLOSED_CONNECTIONS
)
EXCEPTIONS = {("contradiction", "otpservice"): UNKNOWN}
"""HAORUI contradicts itself only in its remarks, and HaoSMS omits its id: both accepted it."""


def expected_states(fault: str) -> dict[str, MessageState]:
    usual = SUBMITTED if fault in ACCEPTED else NOT_SENT if fault in REDIRECTS else UNKNOWN
    return {provider: EXCEPTIONS.get((fault, provider), usual) for provider in KINDS}


def make_one_of_each(sandbox: Sandbox) -> dict[str, Message]:
    return {
        provider: make_message(make_account(provider, sandbox), kind=kind)
        for provider, kind in KINDS.items()
    }


def states_of(messages: dict[str, Message]) -> dict[str, str]:
    return {provider: message.state for provider, message in messages.items()}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_ends_in_its_state_after_one_call(sandbox: Sandbox, fault: str) -> None:
    messages = make_one_of_each(sandbox)
    sandbox.fault(fault, calls=3)

    # If an answer is expected, a slow machine must not time it out.
    unknown = set(expected_states(fault).values()) == {UNKNOWN}
    run_engine(
        lambda: is_settled(*messages.values()), deadlines=IMPATIENT if unknown else DEADLINES
    )

    assert states_of(messages) == expected_states(fault)
    assert sandbox.faults.struck[fault] == 3

    run_rounds()

    accepted = 1 if CATALOGUE[fault].accepted else 0
    booked = {name: len(sandbox.book.entries(name, accepted=True)) for name in KINDS}
    assert booked == dict.fromkeys(KINDS, accepted)
    assert sandbox.faults.struck[fault] == 3
    assert sandbox.book.entries(kind="strayed") == []


@pytest.mark.parametrize("fault", sorted(CLOSED_CONNECTIONS))
@pytest.mark.parametrize(("provider", "kind"), list(KINDS.items()))
def test_connection_closed_after_the_answer_changes_nothing(
    sandbox: Sandbox, provider: str, kind: str, fault: str
) -> None:
    sandbox.fault(fault, provider=provider)
    message = send(make_message(make_account(provider, sandbox), kind=kind))
    assert message.state == SUBMITTED


@pytest.mark.parametrize("fault", sorted(CLOSED_CONNECTIONS))
def test_call_on_a_closing_connection_is_not_repeated(sandbox: Sandbox, fault: str) -> None:
    account = make_account("haorui", sandbox, in_flight=1)
    sandbox.fault(fault, provider="haorui")
    messages = [make_message(account) for _ in range(4)]

    run_engine(lambda: is_settled(*messages))

    assert sandbox.book.repeated() == []
    taken = sandbox.book.references("haorui")
    for message in messages:
        assert message.state == (SUBMITTED if message.reference in taken else UNKNOWN)


@pytest.mark.parametrize("fault", ["html_500", "html_502", "html_503", "html_504"])
@pytest.mark.parametrize("accept", [True, False])
def test_error_page_leaves_the_outcome_unknown(sandbox: Sandbox, fault: str, accept: bool) -> None:
    messages = make_one_of_each(sandbox)
    sandbox.fault(fault, calls=3, accept=accept)

    run_engine(lambda: is_settled(*messages.values()))

    assert states_of(messages) == dict.fromkeys(KINDS, UNKNOWN)


def test_unknown_outcome_keeps_the_http_status(sandbox: Sandbox) -> None:
    sandbox.fault("html_502", provider="haorui")
    message = send(make_message(make_account("haorui", sandbox)))
    assert (message.reason, message.http_status) == ("provider_fault", 502)


def test_missing_answer_times_out_as_unknown(sandbox: Sandbox) -> None:
    sandbox.fault("never_answers", provider="haorui")
    message = send(make_message(make_account("haorui", sandbox)), IMPATIENT)
    assert (message.state, message.reason) == (UNKNOWN, "timed_out")


# --- too many requests -------------------------------------------------------


@pytest.mark.parametrize(("provider", "kind"), list(KINDS.items()))
def test_message_is_sent_once_after_too_many_requests(
    sandbox: Sandbox, provider: str, kind: str
) -> None:
    message = make_message(make_account(provider, sandbox), kind=kind)
    sandbox.fault("too_many_retry_after", provider=provider, wait=1)

    send(message)

    assert (message.state, message.tries) == (SUBMITTED, 0)
    assert len(sandbox.book.entries(provider, accepted=True)) == 1


def test_too_many_requests_slows_the_whole_account(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox)
    make_message(account)
    sandbox.fault("too_many", provider="haorui", calls=None)

    run_engine(lambda: Allowance.objects.filter(account=account, slow_streak=1).exists())

    forecast = rate_limits.forecast_slots(account, 1, within=1.0)
    assert forecast.in_time == 0
    assert 1.0 < forecast.next_wait <= 10.0


def test_too_many_requests_does_not_count_as_a_try(sandbox: Sandbox) -> None:
    account = make_account("haorui", sandbox)
    message = make_message(account)
    sandbox.fault("too_many", provider="haorui", calls=None)

    for round_number in range(1, 5):
        Allowance.objects.filter(account=account).update(slow_until=0)
        run_engine(lambda n=round_number: sandbox.faults.struck["too_many"] >= n)  # type: ignore[misc]

    message.refresh_from_db()
    assert (message.state, message.reason, message.tries) == ("queued", "rate_limited", 0)


# --- redirects ---------------------------------------------------------------


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect_pauses_the_account_and_is_not_followed(sandbox: Sandbox, code: int) -> None:
    account = make_account("haorui", sandbox)
    sandbox.fault(f"redirect_{code}", provider="haorui")

    message = send(make_message(account))

    account.refresh_from_db()
    assert (message.reason, account.pause_reason) == ("redirected", "redirected")
    assert account.is_paused
    assert sandbox.book.entries(kind="strayed") == []


# --- unreachable -------------------------------------------------------------


def make_due(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(not_before=timezone.now())


def run_one_try(message: Message, tries: int) -> None:
    run_engine(lambda: Message.objects.filter(pk=message.pk, tries=tries).exists())
    message.refresh_from_db()


def test_unreachable_provider_is_tried_three_times() -> None:
    message = make_message()
    for tries in (1, 2):
        run_one_try(message, tries)
        assert (message.state, message.reason) == ("queued", "connection_refused")
        make_due(message)

    run_one_try(message, 3)

    assert (message.state, message.reason) == ("not_sent", "connection_refused")
    assert message.ended_at is not None


@pytest.mark.parametrize(("earlier_tries", "wait"), [(0, 2.0), (1, 10.0)])
def test_wait_between_tries_grows(earlier_tries: int, wait: float) -> None:
    message = make_message(tries=earlier_tries)

    run_one_try(message, earlier_tries + 1)

    assert message.answered_at is not None
    waits = message.not_before - message.answered_at
    assert timedelta(seconds=wait) <= waits < timedelta(seconds=wait + 5)


def test_wait_between_tries_is_kept() -> None:
    message = make_message()
    run_one_try(message, 1)

    run_rounds()

    message.refresh_from_db()
    assert (message.state, message.tries) == ("queued", 1)


def test_message_is_sent_once_when_the_provider_returns(sandbox: Sandbox) -> None:
    account = make_account("haorui")
    message = make_message(account)
    run_one_try(message, 1)
    Account.objects.filter(pk=account.pk).update(base_url=sandbox.base_url("haorui"))
    make_due(message)

    assert send(message).state == SUBMITTED
    assert len(sandbox.book.entries()) == 1


def test_forbidden_address_is_not_retried(
    settings: Settings,
) -> None:
    settings.ALLOW_PRIVATE_PROVIDERS = False
    message = send(make_message())
    assert (message.state, message.reason) == ("not_sent", "forbidden_address")


# --- refusals ----------------------------------------------------------------


def test_refusal_keeps_the_provider_words(sandbox: Sandbox) -> None:
    account = make_account("haosms", sandbox)
    message = send(make_message(account, kind="own_code", recipient="13912999001"))

    assert (message.state, message.reason) == ("refused", "other_refusal")
    assert message.words == "号码无法接收短信"


def test_refusal_is_not_repeated(sandbox: Sandbox) -> None:
    account = make_account("haosms", sandbox)
    send(make_message(account, kind="own_code", recipient="13912999001"))

    run_rounds()

    assert len(sandbox.book.entries()) == 1
