"""Rows that a loop took and never finished, and answers that come after they were given up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from messaging.engine.source import MessageJob, MessageSource
from messaging.models import Message
from providers.engine.work_source import Job, Result
from providers.gateway.errors import NotDone, OutcomeUnknown, Refused
from providers.gateway.vocabulary import Reason, Submission
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.engine import run_rounds, send

pytestmark = pytest.mark.django_db


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def claimed(seconds: float, **fields: Any) -> Message:
    fields = {"claim": uuid4(), "claimed_at": ago(seconds), **fields}
    return make_message(state="claimed", **fields)


def under_way(seconds: float, **fields: Any) -> Message:
    handed_over = ago(seconds)
    fields = {"claim": uuid4(), "claimed_at": handed_over, **fields}
    return make_message(state="sending", handed_over_at=handed_over, **fields)


def swept(message: Message) -> Message:
    MessageSource().sweep()
    message.refresh_from_db()
    return message


# --- taken up again, or not ---------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_abandoned_claim_is_sent_once(sandbox: Sandbox) -> None:
    message = send(claimed(16, account=make_account("haorui", sandbox)))
    run_rounds()
    assert message.state == "submitted"
    assert len(sandbox.book.entries()) == 1


@pytest.mark.django_db(transaction=True)
def test_call_given_up_as_unknown_is_never_made_again(sandbox: Sandbox) -> None:
    message = under_way(121, account=make_account("haorui", sandbox))
    send(message)
    run_rounds()
    message.refresh_from_db()
    assert message.state == "unknown"
    assert sandbox.book.entries() == []


# --- answers that come late --------------------------------------------------


def recorded(message: Message, claim: object = None, **result: Any) -> Message:
    job: Job = MessageJob(
        message.account_id,
        f"message:{message.pk}",
        message.pk,
        message.claimed_at or timezone.now(),
        None,
    )
    MessageSource().record([Result(job, **result)], claim or uuid4())  # type: ignore[arg-type]
    message.refresh_from_db()
    return message


TAKEN = Submission("26471304", "Message Submitted", ("other_reference",))


def test_a_late_yes_settles_what_was_given_up() -> None:
    message = recorded(swept(under_way(121)), value=TAKEN)
    assert (message.state, message.provider_id, message.reason) == ("submitted", "26471304", "")
    assert message.warnings == ["other_reference"]


@pytest.mark.parametrize(
    "error",
    [NotDone(Reason.UNREACHABLE), Refused(Reason.OTHER_REFUSAL), OutcomeUnknown(Reason.TIMED_OUT)],
)
def test_a_late_no_changes_nothing(error: Exception) -> None:
    message = recorded(swept(under_way(121)), error=error)
    assert (message.state, message.reason) == ("unknown", "cut_off")


def test_a_late_yes_does_not_undo_what_a_person_decided() -> None:
    message = make_message(state="not_sent", settled_at=timezone.now())
    late = recorded(message, value=TAKEN)
    assert (late.state, late.provider_id) == ("not_sent", "26471304")


@pytest.mark.parametrize("error", [NotDone(Reason.UNREACHABLE), Refused(Reason.OTHER_REFUSAL)])
def test_an_error_of_another_claim_changes_nothing(error: Exception) -> None:
    message = recorded(under_way(1), error=error)
    assert (message.state, message.reason) == ("sending", "")


# --- a report before our own answer ------------------------------------------


def test_a_report_that_overtook_the_answer_is_kept_and_only_gaps_are_filled() -> None:
    message = recorded(make_message(state="delivered"), value=TAKEN)
    assert (message.state, message.provider_id) == ("delivered", "26471304")
    assert message.answered_at is not None


def test_an_answer_that_is_there_is_not_written_over() -> None:
    answered_at = ago(60)
    message = make_message(state="delivered", answered_at=answered_at, provider_id="1")
    recorded(message, value=TAKEN)
    assert (message.provider_id, message.answered_at) == ("1", answered_at)


@pytest.mark.parametrize("error", [NotDone(Reason.UNREACHABLE), OutcomeUnknown(Reason.TIMED_OUT)])
def test_no_error_takes_a_report_back(error: Exception) -> None:
    claim = uuid4()
    message = recorded(make_message(state="delivered", claim=claim), claim, error=error)
    assert message.state == "delivered"


def test_odd_characters_of_a_provider_can_be_stored() -> None:
    claim = uuid4()
    said = Submission("id\x00\ud800", "words\x00\ud800")
    message = recorded(under_way(1, claim=claim), claim, value=said)
    assert (message.provider_id, message.words) == ("id␀\\ud800", "words␀\\ud800")


def test_sending_writes_down_a_result_only_of_its_own_kind() -> None:
    with pytest.raises(TypeError):
        recorded(under_way(1), value="yes")
