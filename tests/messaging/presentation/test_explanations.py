"""Explanations and timeline of a message: title, text, next step, money line, entries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from core.money_lines import MoneyLine
from core.times import short_time
from messaging.models import Message
from messaging.presentation.explanations import FAULT_BEFORE_SENDING, explanation_of, title_of
from messaging.presentation.timeline import timeline
from messaging.queue_message import WAITED_TOO_LONG
from messaging.settle_outcome import SETTLE_REASONS
from messaging.states import MessageState
from providers import accounts
from providers.gateway.vocabulary import PAUSING, Reason
from providers.models import Account, ApiCall
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
S = MessageState
N, L, R, U, D = "N", "L", "R", "U", "D"


def make_answered(state: str, reason: str = "", provider: str = "haorui", **fields: Any) -> Message:
    now = timezone.now()
    queued, claimed, handed_over = (now - timedelta(seconds=age) for age in (32, 31, 30))
    times = {"created_at": queued, "queued_at": queued, "claimed_at": claimed}
    times |= {"handed_over_at": handed_over, "answered_at": now}
    kind = {"haosms": "own_code", "otpservice": "provider_code"}.get(provider, "text")
    account = make_account(provider, name="Main")
    return make_message(account, kind=kind, state=state, reason=reason, **{**times, **fields})


# --- the money line ----------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "money"),
    [
        (S.SUBMITTED, D),
        (S.IN_TRANSIT, D),
        (S.DELIVERED, D),
        (S.UNDELIVERED, D),
        (S.REJECTED, D),
        (S.EXPIRED, D),
        (S.CANCELLED, L),
        (S.NOT_SENT, L),
        (S.QUEUED, ""),
        (S.CLAIMED, ""),
        (S.SENDING, ""),
    ],
)
def test_state_has_its_money_line(state: MessageState, money: str) -> None:
    assert explanation_of(make_answered(state, tries=0)).money == money


@pytest.mark.parametrize("reason", list(Reason))
def test_unknown_outcome_may_have_cost_money(reason: Reason) -> None:
    assert explanation_of(make_answered(S.UNKNOWN, reason)).money == MoneyLine.UNKNOWN


REFUSALS = [
    Reason.CREDENTIALS,
    Reason.ACCOUNT_DISABLED,
    Reason.NO_BALANCE,
    Reason.PARAMETERS,
    Reason.BAD_NUMBER,
    Reason.OTHER_REFUSAL,
]


@pytest.mark.parametrize("reason", REFUSALS)
def test_refusal_is_not_normally_charged(reason: Reason) -> None:
    assert explanation_of(make_answered(S.REFUSED, reason)).money == MoneyLine.REFUSED


def test_refusal_without_a_call_costs_nothing() -> None:
    assert explanation_of(make_answered(S.REFUSED, Reason.CANNOT_TAKE)).money == MoneyLine.NOT_SENT


@pytest.mark.parametrize(
    ("reason", "money"),
    [
        (Reason.UNREACHABLE, N),
        (Reason.REDIRECTED, N),
        (Reason.FORBIDDEN_ADDRESS, N),
        (Reason.PORTAL_FAULT, L),
        (WAITED_TOO_LONG, L),
    ],
)
def test_unsent_message_costs_nothing(reason: str, money: str) -> None:
    assert explanation_of(make_answered(S.NOT_SENT, reason)).money == money


# --- the texts ---------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("state", [S.REFUSED, S.UNKNOWN, S.NOT_SENT, S.HELD])
@pytest.mark.parametrize("reason", [*Reason, WAITED_TOO_LONG, FAULT_BEFORE_SENDING])
def test_every_reason_has_a_text_without_open_placeholders(
    reason: str, state: MessageState, language: str
) -> None:
    with override(language):
        explanation = explanation_of(make_answered(state, reason))
    shown = f"{explanation.title} {explanation.text} {explanation.next_step}"
    assert explanation.title not in ("", reason)
    assert "%(" not in shown


@pytest.mark.parametrize("reason", [*Reason, WAITED_TOO_LONG])
def test_every_reason_has_a_title(reason: str) -> None:
    assert title_of(make_answered(S.NOT_SENT, reason)).strip()


def test_timeout_shows_how_long_it_took() -> None:
    assert (
        explanation_of(make_answered(S.UNKNOWN, Reason.TIMED_OUT)).title == "No answer after 30 s."
    )


def test_missing_balance_shows_how_many_messages_wait() -> None:
    message = make_answered(S.REFUSED, Reason.NO_BALANCE)
    accounts.pause(message.account, Reason.NO_BALANCE)
    for _ in range(2):
        make_message(message.account)
    text = explanation_of(Message.objects.get(pk=message.pk)).text
    assert text.startswith(
        "The provider refused because of insufficient balance. 2 messages are waiting."
    )


def test_expired_message_shows_how_long_it_waited() -> None:
    now = timezone.now()
    message = make_answered(
        S.NOT_SENT, WAITED_TOO_LONG, queued_at=now - timedelta(seconds=121), ended_at=now
    )
    assert explanation_of(message).title == "Not sent after waiting 2 min."


def test_retried_message_shows_the_next_try() -> None:
    message = make_answered(S.QUEUED, Reason.UNREACHABLE, tries=1)
    explanation = explanation_of(message)
    assert explanation.title == "The provider could not be reached."
    assert explanation.text.startswith("Tried 1 times; next attempt at ")


def test_portal_fault_before_sending_does_not_claim_a_send() -> None:
    explanation = explanation_of(make_answered(S.NOT_SENT, Reason.PORTAL_FAULT))
    assert explanation.title == "The portal failed before anything was sent."


def test_new_message_has_no_explanation() -> None:
    assert explanation_of(make_message()).text == ""


def test_long_wait_is_explained() -> None:
    message = make_message(queued_at=timezone.now() - timedelta(seconds=11))
    assert explanation_of(message).text.startswith("Queued for 11.")


def test_message_of_a_paused_account_names_the_pause() -> None:
    message = make_message(make_account(name="Main"))
    accounts.pause(message.account, "by_hand")
    assert (
        explanation_of(message).text
        == "Main is paused. Messages will be sent when the account is resumed."
    )


def test_accepted_message_waits_for_its_report() -> None:
    assert (
        explanation_of(make_answered(S.SUBMITTED)).text
        == "Accepted. Waiting for the delivery report."
    )


def test_missing_report_support_is_explained() -> None:
    text = explanation_of(make_answered(S.SUBMITTED, provider="haosms")).text
    assert text.startswith("Accepted. HaoSMS does not provide delivery reports")


def test_overdue_report_is_explained() -> None:
    message = make_answered(
        S.SUBMITTED, answered_at=timezone.now() - timedelta(hours=72, seconds=1)
    )
    assert explanation_of(message).text.startswith("No report after 72 hours.")


@pytest.mark.parametrize("provider", ["haosms", "haorui"])
def test_message_marked_as_sent_is_not_called_accepted(provider: str) -> None:
    message = make_answered(S.SUBMITTED, provider=provider, settled_at=timezone.now())
    assert explanation_of(message).text == "Confirmed as sent by a staff member."


# --- causes that are over ------------------------------------------------------

MANAGER = ("providers.change_account", "messaging.resolve_message")


def fail_and_pause(state: str, reason: str, minutes_ago: int = 30) -> Message:
    """A message whose failure paused its account."""
    then = timezone.now() - timedelta(minutes=minutes_ago)
    message = make_answered(state, reason, answered_at=then)
    accounts.pause(message.account, reason)
    started = then + timedelta(milliseconds=20)
    message.account.pauses.update(started_at=started)
    Account.objects.filter(pk=message.account.pk).update(paused_at=started)
    return Message.objects.get(pk=message.pk)


def resume(message: Message) -> Message:
    accounts.resume(message.account, make_user())
    return Message.objects.get(pk=message.pk)


@pytest.mark.parametrize("reason", sorted({*PAUSING, accounts.REFUSED_IN_A_ROW}))
@pytest.mark.parametrize("state", [S.REFUSED, S.NOT_SENT, S.UNKNOWN])
def test_pause_that_is_over_is_told_in_the_past_with_its_times(state: str, reason: str) -> None:
    message = fail_and_pause(state, reason)
    pause = message.account.pauses.get()
    paused = explanation_of(message).text
    assert f"The account has been paused since {short_time(pause.started_at)}" in paused
    message = resume(message)
    pause.refresh_from_db()
    assert pause.ended_at is not None
    told = explanation_of(message).text
    times = f"at {short_time(pause.started_at)} and resumed at {short_time(pause.ended_at)}."
    assert f"The account was paused {times}" in told
    assert "is paused" not in told
    assert "waiting" not in told


def test_pause_of_another_time_is_not_named() -> None:
    message = resume(fail_and_pause(S.REFUSED, Reason.CREDENTIALS))
    accounts.pause(message.account, accounts.BY_HAND)
    message.refresh_from_db()
    told = explanation_of(Message.objects.get(pk=message.pk)).text
    assert "has been paused since" not in told
    assert "resumed at" in told


def test_first_of_two_pauses_is_the_one_that_the_failure_led_to() -> None:
    message = fail_and_pause(S.REFUSED, Reason.CREDENTIALS)
    first = message.account.pauses.get()
    message = resume(message)
    ended = first.started_at + timedelta(seconds=5)
    message.account.pauses.update(ended_at=ended)
    accounts.pause(message.account, accounts.BY_HAND)
    message.account.pauses.filter(ended_at=None).update(started_at=ended + timedelta(seconds=5))
    told = explanation_of(Message.objects.get(pk=message.pk)).text
    assert (
        f"was paused at {short_time(first.started_at)} and resumed at {short_time(ended)}" in told
    )


def test_pause_without_a_record_is_not_called_present() -> None:
    message = make_answered(S.REFUSED, Reason.CREDENTIALS)
    assert explanation_of(message).text == "The API key or password was wrong or had expired."


def test_pause_by_an_earlier_version_is_present_while_it_lasts() -> None:
    message = fail_and_pause(S.REFUSED, Reason.CREDENTIALS)
    message.account.pauses.all().delete()
    assert "The account has been paused since" in explanation_of(message).text
    assert "paused" not in explanation_of(resume(message)).text


@pytest.mark.parametrize("reason", [Reason.CREDENTIALS, Reason.REDIRECTED, Reason.NO_BALANCE])
def test_next_step_of_a_refused_message_is_one_that_the_reader_can_take(reason: str) -> None:
    message = fail_and_pause(S.REFUSED, reason)
    manager = explanation_of(message, make_user(*MANAGER)).next_step
    operator = explanation_of(message, make_user("messaging.send_message")).next_step
    assert "Ask a manager" not in manager
    assert operator == "Ask a manager to put the account in order, or use another account."
    for reader in (make_user(*MANAGER), make_user("messaging.send_message")):
        again = explanation_of(resume(message), reader).next_step
        assert again == "Send it again if it is still needed."


@pytest.mark.parametrize("reason", [*Reason, accounts.REFUSED_IN_A_ROW])
def test_next_step_of_an_unknown_outcome_is_to_ask_the_recipient(reason: str) -> None:
    message = make_answered(S.UNKNOWN, reason)
    operator = explanation_of(message, make_user("messaging.send_message"))
    assert operator.next_step.startswith("Ask the recipient whether it arrived.")
    # For those who decide, the page asks it above the buttons.
    assert explanation_of(message, make_user(*MANAGER)).next_step == ""


# --- the timeline ------------------------------------------------------------


def timeline_texts(message: Message, *, with_calls: bool = False) -> list[str]:
    return [line.text for line in timeline(message, with_calls=with_calls)]


def test_timeline_of_a_new_message_names_who_queued_it() -> None:
    by = make_user(first_name="Wei", last_name="Chen")
    assert timeline_texts(make_message(by=by)) == ["Queued by Wei Chen"]


def test_timeline_of_an_accepted_message_lists_its_steps() -> None:
    entries = timeline_texts(make_answered(S.SUBMITTED, provider_id="26471304"))
    assert entries[1:] == [
        "Processing started",
        "Submitted to the provider",
        "Accepted after 30.0 s, id 26471304",
        "No delivery report yet",
    ]


def test_missing_report_has_no_time() -> None:
    *_, last = timeline(make_answered(S.SUBMITTED, provider="haosms"), with_calls=False)
    assert (last.text, last.at) == ("HaoSMS does not provide delivery reports", None)


@pytest.mark.parametrize(
    ("state", "fields", "entry"),
    [
        (S.SUBMITTED, {}, "Accepted after 30.0 s, no ID returned"),
        (S.REFUSED, {}, "Refused by the provider after 30.0 s"),
        (S.UNKNOWN, {}, "No clear answer after 30.0 s"),
        (S.NOT_SENT, {}, "Gave up: could not be submitted to the provider"),
        (S.QUEUED, {}, "Not submitted; will be retried"),
        (S.HELD, {}, "Not submitted"),
        (S.CANCELLED, {}, "Not submitted"),
        (S.SUBMITTED, {"settled_at": timezone.now()}, "No clear answer after 30.0 s"),
        (S.NOT_SENT, {"settled_at": timezone.now()}, "No clear answer after 30.0 s"),
    ],
)
def test_timeline_describes_the_answer(state: str, fields: dict[str, Any], entry: str) -> None:
    assert entry in timeline_texts(make_answered(state, **fields))


@pytest.mark.parametrize(
    ("state", "entry"),
    [
        (S.SUBMITTED, "Marked as sent by Wei: Recipient received it"),
        (S.NOT_SENT, "Marked as not sent by Wei: Recipient received it"),
        (S.DELIVERED, "Marked as sent by Wei: Recipient received it"),
    ],
)
def test_timeline_shows_a_decision_with_name_and_reason(state: str, entry: str) -> None:
    by = make_user(first_name="Wei")
    message = make_answered(
        state,
        settled_at=timezone.now(),
        settled_by=by,
        settled_because=SETTLE_REASONS["has"].store(),
    )
    assert entry in timeline_texts(message)
    with override("zh-hans"):
        assert any(text.endswith("：收件人已收到") for text in timeline_texts(message))


def test_timeline_names_who_cancelled() -> None:
    by = make_user(first_name="Wei")
    message = make_message(state="cancelled", ended_by=by)
    message.ended_at = message.created_at + timedelta(seconds=1)
    assert timeline_texts(message)[-1] == "Cancelled by Wei"


def test_timeline_shows_that_the_portal_gave_up() -> None:
    message = make_answered(S.UNKNOWN, answered_at=None, ended_at=timezone.now())
    assert timeline_texts(message)[-1] == "The portal stopped trying"


def make_call(message: Message) -> ApiCall:
    return ApiCall.objects.create(
        account=message.account,
        operation="send_text",
        subject=f"message:{message.pk}",
        started_at=timezone.now(),
        duration=0.1,
        method="POST",
        url="https://example.com",
        outcome="not_done",
    )


def test_timeline_is_strictly_in_time_even_if_a_message_was_tried_twice() -> None:
    message = make_answered(S.SUBMITTED, provider_id="1")
    first_try = make_call(message)
    # Claimed and sent again after the first try had failed.
    first_try.started_at = message.queued_at + timedelta(milliseconds=500)
    first_try.save()
    make_call(message)
    lines = timeline(message, with_calls=True)
    times = [line.at for line in lines if line.at]
    assert times == sorted(times)
    texts = [line.text for line in lines]
    assert texts.index("Attempt: Not done") < texts.index("Submitted to the provider")
    assert texts[-1] == "No delivery report yet"


def test_answer_links_to_its_call() -> None:
    message = make_answered(S.SUBMITTED)
    call = make_call(message)
    urls = [line.url for line in timeline(message, with_calls=True) if line.url]
    assert urls == [f"/providers/apicall/{call.pk}/change/"]


def test_timeline_lists_earlier_tries() -> None:
    message = make_answered(S.SUBMITTED)
    make_call(message)
    make_call(message)
    assert "Attempt: Not done" in timeline_texts(message, with_calls=True)


def test_timeline_without_permission_has_no_call_link() -> None:
    message = make_answered(S.SUBMITTED)
    make_call(message)
    assert not [line for line in timeline(message, with_calls=False) if line.url]
