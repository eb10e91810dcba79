"""Every answer of a provider about a code, in every state of its session or attempt."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.utils import timezone

from messaging.models import Message
from messaging.states import MessageState
from otp import message_sync
from otp.engine.check_source import CheckJob, CheckSource
from otp.models import Attempt, Session
from otp.states import ATTEMPT_STATES, OPEN, SESSION_STATES, AttemptState, SessionState
from providers.engine.work_source import Result
from providers.gateway.errors import GatewayError, NotDone, OutcomeUnknown, Refused
from providers.gateway.vocabulary import CheckResult, Reason
from tests.factories.accounts import make_account
from tests.factories.codes import WRONG, make_sent_session, try_code

pytestmark = pytest.mark.django_db

S = SessionState
A = AttemptState
ANSWERS: dict[str, CheckResult | GatewayError] = {
    "passed": CheckResult(passed=True),
    "failed": CheckResult(passed=False),
    "refused": Refused(Reason.OTHER_REFUSAL),
    "not done": NotDone(Reason.RATE_LIMITED),
    "unknown": OutcomeUnknown(Reason.TIMED_OUT),
}


def make_checking(
    session_state: SessionState, attempt_state: AttemptState
) -> tuple[Session, Attempt]:
    session = make_sent_session(make_account("otpservice"))
    attempt = try_code(session, WRONG)
    Attempt.objects.filter(pk=attempt.pk).update(
        state=attempt_state, claim=uuid4(), claimed_at=timezone.now()
    )
    Session.objects.filter(pk=session.pk).update(state=session_state)
    attempt.refresh_from_db()
    return session, attempt


def record_answer(session: Session, attempt: Attempt, result: CheckResult | GatewayError) -> None:
    assert attempt.claim is not None
    assert attempt.claimed_at is not None
    job = CheckJob(attempt.account_id, "", attempt.pk, attempt.claimed_at, None)
    value, error = (None, result) if isinstance(result, GatewayError) else (result, None)
    CheckSource().record([Result(job, value=value, error=error)], attempt.claim)
    session.refresh_from_db()
    attempt.refresh_from_db()


@pytest.mark.parametrize("result", list(ANSWERS))
@pytest.mark.parametrize("before", list(S))
def test_no_check_answer_moves_a_session_outside_its_table(before: S, result: str) -> None:
    session, attempt = make_checking(before, A.SENDING)
    record_answer(session, attempt, ANSWERS[result])
    after = S(session.state)
    assert after == before or after in SESSION_STATES.moves[before]
    assert (after == S.VERIFIED) == (
        before == S.VERIFIED or (result == "passed" and before in OPEN)
    )


@pytest.mark.parametrize("before", [state for state in S if state not in OPEN])
def test_pass_after_the_end_is_recorded_as_too_late(before: S) -> None:
    session, attempt = make_checking(before, A.SENDING)
    record_answer(session, attempt, ANSWERS["passed"])
    assert (session.state, attempt.state, attempt.too_late) == (before, A.RIGHT, True)


@pytest.mark.parametrize("result", list(ANSWERS))
@pytest.mark.parametrize("before", list(A))
def test_no_check_answer_moves_an_attempt_outside_its_table(before: A, result: str) -> None:
    session, attempt = make_checking(S.SENT, before)
    record_answer(session, attempt, ANSWERS[result])
    after = A(attempt.state)
    assert after == before or after in ATTEMPT_STATES.moves[before]


@pytest.mark.parametrize("message_state", list(MessageState))
@pytest.mark.parametrize("before", list(S))
def test_no_message_state_moves_a_session_outside_its_table(
    before: S, message_state: MessageState
) -> None:
    session = make_sent_session()
    Session.objects.filter(pk=session.pk).update(state=before)
    message = session.newest_code().message
    Message.objects.filter(pk=message.pk).update(state=message_state)
    message_sync.sync_sessions([message.pk])
    session.refresh_from_db()
    after = S(session.state)
    assert after == before or after in SESSION_STATES.moves[before]
