"""What the page of a message says: title, text, next step and the money line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from core.money_lines import MoneyLine
from messaging.models import Message
from messaging.presentation.explanations import FAULT_BEFORE_SENDING, explanation_of, title_of
from messaging.presentation.timeline import timeline
from messaging.queue_message import WAITED_TOO_LONG
from messaging.states import MessageState
from providers import accounts
from providers.gateway.vocabulary import Reason
from providers.models import ApiCall
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
S = MessageState
N, L, R, U, D = "N", "L", "R", "U", "D"


def ended(state: str, reason: str = "", provider: str = "haorui", **fields: Any) -> Message:
    now = timezone.now()
    times = {"claimed_at": now, "handed_over_at": now - timedelta(seconds=30), "answered_at": now}
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
def test_a_state_has_its_money_line(state: MessageState, money: str) -> None:
    assert explanation_of(ended(state, tries=0)).money == money


@pytest.mark.parametrize("reason", list(Reason))
def test_money_may_be_gone_wherever_the_outcome_is_unknown(reason: Reason) -> None:
    assert explanation_of(ended(S.UNKNOWN, reason)).money == MoneyLine.UNKNOWN


REFUSALS = [
    Reason.CREDENTIALS,
    Reason.ACCOUNT_DISABLED,
    Reason.NO_BALANCE,
    Reason.PARAMETERS,
    Reason.BAD_NUMBER,
    Reason.OTHER_REFUSAL,
]


@pytest.mark.parametrize("reason", REFUSALS)
def test_a_refusal_is_not_normally_charged(reason: Reason) -> None:
    assert explanation_of(ended(S.REFUSED, reason)).money == MoneyLine.REFUSED


def test_what_the_provider_was_not_asked_for_costs_nothing() -> None:
    assert explanation_of(ended(S.REFUSED, Reason.CANNOT_TAKE)).money == MoneyLine.NOT_SENT


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
def test_what_was_not_sent_costs_nothing(reason: str, money: str) -> None:
    assert explanation_of(ended(S.NOT_SENT, reason)).money == money


# --- the words ---------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("state", [S.REFUSED, S.UNKNOWN, S.NOT_SENT, S.HELD])
@pytest.mark.parametrize("reason", [*Reason, WAITED_TOO_LONG, FAULT_BEFORE_SENDING])
def test_every_reason_is_said_in_words_and_leaves_no_place_open(
    reason: str, state: MessageState, language: str
) -> None:
    with override(language):
        story = explanation_of(ended(state, reason))
    said = f"{story.title} {story.text} {story.next_step}"
    assert story.title not in ("", reason)
    assert "%(" not in said


@pytest.mark.parametrize("reason", [*Reason, WAITED_TOO_LONG])
def test_lists_have_a_line_for_every_reason(reason: str) -> None:
    assert title_of(ended(S.NOT_SENT, reason)).strip()


def test_a_timeout_says_how_long_it_took() -> None:
    assert explanation_of(ended(S.UNKNOWN, Reason.TIMED_OUT)).title == "No answer after 30 s."


def test_no_balance_says_how_many_wait() -> None:
    message = ended(S.REFUSED, Reason.NO_BALANCE)
    make_message(message.account)
    make_message(message.account)
    assert explanation_of(message).text == "The provider refused for lack of money. 2 wait."


def test_what_waited_too_long_says_how_long() -> None:
    now = timezone.now()
    message = ended(
        S.NOT_SENT, WAITED_TOO_LONG, queued_at=now - timedelta(seconds=121), ended_at=now
    )
    assert explanation_of(message).title == "This waited 2 min and was not sent."


def test_a_message_that_is_tried_again_says_when() -> None:
    message = ended(S.QUEUED, Reason.UNREACHABLE, tries=1)
    story = explanation_of(message)
    assert story.title == "The provider could not be reached."
    assert story.text.startswith("Tried 1 times, next at ")


def test_a_fault_of_ours_before_anything_left_does_not_claim_that_it_left() -> None:
    story = explanation_of(ended(S.NOT_SENT, Reason.PORTAL_FAULT))
    assert story.title == "The portal had a fault before anything was sent."


def test_a_young_message_has_nothing_to_explain() -> None:
    assert explanation_of(make_message()).text == ""


def test_a_message_that_waits_for_long_says_so() -> None:
    message = make_message(queued_at=timezone.now() - timedelta(seconds=11))
    assert explanation_of(message).text.startswith("Waiting to be taken up for 11.")


def test_a_message_of_a_paused_account_says_what_it_waits_for() -> None:
    message = make_message(make_account(name="Main"))
    accounts.pause(message.account, "by_hand")
    assert (
        explanation_of(message).text == "Main is paused. This waits until the account is resumed."
    )


def test_an_accepted_message_waits_for_its_report() -> None:
    assert explanation_of(ended(S.SUBMITTED)).text == "Accepted. Waiting for the delivery report."


def test_where_no_report_will_come_the_recipient_is_to_be_asked() -> None:
    text = explanation_of(ended(S.SUBMITTED, provider="haosms")).text
    assert text.startswith("Accepted. HaoSMS gives no delivery reports")


def test_a_report_that_is_overdue_is_not_waited_for_any_more() -> None:
    message = ended(S.SUBMITTED, answered_at=timezone.now() - timedelta(hours=72, seconds=1))
    assert explanation_of(message).text.startswith("No report after 72 hours.")


@pytest.mark.parametrize("provider", ["haosms", "haorui"])
def test_what_a_person_marked_as_sent_is_not_called_accepted(provider: str) -> None:
    message = ended(S.SUBMITTED, provider=provider, settled_at=timezone.now())
    assert explanation_of(message).text == "A person found that it went out."


# --- the timeline ------------------------------------------------------------


def lines(message: Message, *, with_calls: bool = False) -> list[str]:
    return [line.text for line in timeline(message, with_calls=with_calls)]


def test_a_new_message_has_been_queued_by_somebody() -> None:
    by = make_user(first_name="Wei", last_name="Chen")
    assert lines(make_message(by=by)) == ["Queued by Wei Chen"]


def test_an_accepted_message_tells_its_way_and_what_is_missing() -> None:
    told = lines(ended(S.SUBMITTED, provider_id="26471304"))
    assert told[1:] == [
        "Taken up",
        "Handed over for sending",
        "Accepted after 30.0 s, id 26471304",
        "No delivery report yet",
    ]


def test_what_has_not_happened_has_no_time() -> None:
    *_, last = timeline(ended(S.SUBMITTED, provider="haosms"), with_calls=False)
    assert (last.text, last.at) == ("HaoSMS gives no delivery reports", None)


@pytest.mark.parametrize(
    ("state", "fields", "told"),
    [
        (S.SUBMITTED, {}, "Accepted after 30.0 s, without an id"),
        (S.REFUSED, {}, "Refused by the provider after 30.0 s"),
        (S.UNKNOWN, {}, "No clear answer after 30.0 s"),
        (S.NOT_SENT, {}, "Given up: it could not be handed over"),
        (S.QUEUED, {}, "Not handed over; it will be tried again"),
        (S.HELD, {}, "Not handed over"),
        (S.CANCELLED, {}, "Not handed over"),
        (S.SUBMITTED, {"settled_at": timezone.now()}, "No clear answer after 30.0 s"),
        (S.NOT_SENT, {"settled_at": timezone.now()}, "No clear answer after 30.0 s"),
    ],
)
def test_the_answer_is_told_as_it_was(state: str, fields: dict[str, Any], told: str) -> None:
    assert told in lines(ended(state, **fields))


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (S.SUBMITTED, "Marked as sent by Wei: Recipient has it"),
        (S.NOT_SENT, "Marked as not sent by Wei: Recipient has it"),
        (S.DELIVERED, "Marked as sent by Wei: Recipient has it"),
    ],
)
def test_a_decision_is_told_with_name_and_reason(state: str, told: str) -> None:
    by = make_user(first_name="Wei")
    message = ended(
        state, settled_at=timezone.now(), settled_by=by, settled_because="Recipient has it"
    )
    assert told in lines(message)


def test_a_cancelled_message_tells_who_cancelled_it() -> None:
    by = make_user(first_name="Wei")
    message = make_message(state="cancelled", ended_at=timezone.now(), ended_by=by)
    assert lines(message)[-1] == "Cancelled by Wei"


def test_what_the_portal_gave_up_says_so() -> None:
    message = ended(S.UNKNOWN, answered_at=None, ended_at=timezone.now())
    assert lines(message)[-1] == "Given up by the portal"


def a_call(message: Message) -> ApiCall:
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


def test_the_answer_links_to_its_call() -> None:
    message = ended(S.SUBMITTED)
    call = a_call(message)
    urls = [line.url for line in timeline(message, with_calls=True) if line.url]
    assert urls == [f"/providers/apicall/{call.pk}/change/"]


def test_earlier_tries_stand_before_the_answer() -> None:
    message = ended(S.SUBMITTED)
    a_call(message)
    a_call(message)
    assert "Tried: Not done" in lines(message, with_calls=True)


def test_who_may_not_see_calls_gets_no_link() -> None:
    message = ended(S.SUBMITTED)
    a_call(message)
    assert not [line for line in timeline(message, with_calls=False) if line.url]
