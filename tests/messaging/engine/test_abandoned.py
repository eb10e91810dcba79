"""Messages of a loop that died, and answers that arrive after the sweep."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from messaging.engine.source import MessageJob, MessageSource
from messaging.models import Message
from providers.engine.work_source import Job, Result
from providers.gateway.errors import GatewayError, NotDone, OutcomeUnknown, Refused
from providers.gateway.vocabulary import Reason, Submission
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.engine import run_rounds, send

pytestmark = pytest.mark.django_db


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def make_claimed(seconds: float, **fields: Any) -> Message:
    fields = {"claim": uuid4(), "claimed_at": ago(seconds), **fields}
    return make_message(state="claimed", **fields)


def make_in_flight(seconds: float, **fields: Any) -> Message:
    handed_over = ago(seconds)
    fields = {"claim": uuid4(), "claimed_at": handed_over, **fields}
    return make_message(state="sending", handed_over_at=handed_over, **fields)


def sweep(message: Message) -> Message:
    MessageSource().sweep()
    message.refresh_from_db()
    return message


# --- after the sweep ----------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_abandoned_claim_is_sent_once(sandbox: Sandbox) -> None:
    message = send(make_claimed(16, account=make_account("haorui", sandbox)))
    run_rounds()
    assert message.state == "submitted"
    assert len(sandbox.book.entries()) == 1


@pytest.mark.django_db(transaction=True)
def test_call_given_up_as_unknown_is_never_repeated(sandbox: Sandbox) -> None:
    message = make_in_flight(121, account=make_account("haorui", sandbox))
    send(message)
    run_rounds()
    message.refresh_from_db()
    assert message.state == "unknown"
    assert sandbox.book.entries() == []


# --- late answers ------------------------------------------------------------


def record(message: Message, claim: object = None, **result: Any) -> Message:
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


ACCEPTED = Submission("26471304", "Message Submitted", ("other_reference",))


def test_late_acceptance_settles_an_unknown_outcome() -> None:
    message = record(sweep(make_in_flight(121)), value=ACCEPTED)
    assert (message.state, message.provider_id, message.reason) == ("submitted", "26471304", "")
    assert message.warnings == ["other_reference"]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (NotDone(Reason.UNREACHABLE), "not_sent"),
        (Refused(Reason.OTHER_REFUSAL), "refused"),
        (OutcomeUnknown(Reason.TIMED_OUT), "unknown"),
    ],
)
def test_late_error_settles_an_unknown_outcome_and_queues_nothing(
    error: GatewayError, state: str
) -> None:
    message = record(sweep(make_in_flight(121)), error=error)
    assert (message.state, message.reason) == (state, error.reason)


def test_late_error_does_not_undo_a_persons_decision() -> None:
    message = sweep(make_in_flight(121))
    Message.objects.filter(pk=message.pk).update(state="submitted", settled_at=timezone.now())
    message = record(message, error=Refused(Reason.OTHER_REFUSAL))
    assert message.state == "submitted"


def test_late_acceptance_does_not_undo_a_persons_decision() -> None:
    message = make_message(state="not_sent", settled_at=timezone.now())
    late = record(message, value=ACCEPTED)
    assert (late.state, late.provider_id) == ("not_sent", "26471304")


@pytest.mark.parametrize("error", [NotDone(Reason.UNREACHABLE), Refused(Reason.OTHER_REFUSAL)])
def test_error_of_another_claim_changes_nothing(error: Exception) -> None:
    message = record(make_in_flight(1), error=error)
    assert (message.state, message.reason) == ("sending", "")


# --- a report before our own answer ------------------------------------------


def test_answer_after_a_report_only_fills_in_missing_values() -> None:
    message = record(make_message(state="delivered"), value=ACCEPTED)
    assert (message.state, message.provider_id) == ("delivered", "26471304")
    assert message.answered_at is not None


def test_recorded_answer_is_not_overwritten() -> None:
    answered_at = ago(60)
    message = make_message(state="delivered", answered_at=answered_at, provider_id="1")
    record(message, value=ACCEPTED)
    assert (message.provider_id, message.answered_at) == ("1", answered_at)


@pytest.mark.parametrize("error", [NotDone(Reason.UNREACHABLE), OutcomeUnknown(Reason.TIMED_OUT)])
def test_error_does_not_undo_a_report(error: Exception) -> None:
    claim = uuid4()
    message = record(make_message(state="delivered", claim=claim), claim, error=error)
    assert message.state == "delivered"


def test_characters_that_no_database_stores_are_escaped() -> None:
    claim = uuid4()
    submission = Submission("id\x00\ud800", "words\x00\ud800")
    message = record(make_in_flight(1, claim=claim), claim, value=submission)
    assert (message.provider_id, message.words) == ("id␀\\ud800", "words␀\\ud800")


def test_result_of_another_type_is_an_error() -> None:
    with pytest.raises(TypeError):
        record(make_in_flight(1), value="yes")
