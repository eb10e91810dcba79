"""Checking codes: own codes, provider codes, and the provider's reports about them."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from time_machine import travel

from messaging.models import Message
from otp import check_code, message_sync, sessions
from otp.codes import NotACode
from otp.engine.check_source import CheckSource
from otp.models import Attempt, Session
from otp.states import AttemptState
from providers import events
from providers.engine.work_source import Result
from providers.gateway.errors import Refused
from providers.gateway.events import VerificationReported
from providers.gateway.vocabulary import Reason
from providers.models import ApiCall
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.codes import (
    WRONG,
    code_of,
    end_send_gap,
    expire_session,
    make_sent_session,
    make_session,
    run_checks,
    run_sends,
    try_code,
)
from tests.factories.messages import CODE
from tests.factories.staff import make_user
from tests.support.engine import run_sweeps
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


# --- own codes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entered", [CODE, f" {CODE} ", "482 913", "482-913", "４８２９１３", "4 8 2\u00a09 1\u200b3"]
)
def test_correct_code_verifies_in_any_notation(entered: str) -> None:
    session = make_sent_session()
    assert try_code(session, entered).state == "right"
    assert session.state == "verified"
    assert session.verified_at is not None


def test_letters_match_in_either_case() -> None:
    session = make_sent_session(typed="Ab3Xy9")
    try_code(session, "aB3xY9")
    assert session.state == "verified"


def test_wrong_code_uses_a_try() -> None:
    session = make_sent_session()
    assert try_code(session, WRONG).state == "wrong"
    assert (session.state, session.tries_left) == ("sent", 4)


def test_correct_code_after_five_wrong_tries_is_rejected() -> None:
    session = make_sent_session()
    for _ in range(5):
        try_code(session, WRONG)
    assert (session.state, session.reason) == ("failed", "tries_used")
    with pytest.raises(sessions.NotOpen):
        try_code(session, CODE)


def test_fifth_try_can_verify() -> None:
    session = make_sent_session(tries=4)
    try_code(session, CODE)
    assert session.state == "verified"


def test_code_verifies_only_once() -> None:
    session = make_sent_session()
    try_code(session, CODE)
    with pytest.raises(sessions.NotOpen):
        try_code(session, CODE)


@pytest.mark.parametrize("blank", ["", "  ", "-- -", "\u200b"])
def test_empty_input_uses_no_try(blank: str) -> None:
    session = make_sent_session()
    with pytest.raises(check_code.NothingEntered):
        try_code(session, blank)
    session.refresh_from_db()
    assert session.tries == 0


@pytest.mark.parametrize("entered", ["12345", "1234567", "Your code is 12345", "no code came"])
def test_what_cannot_be_the_code_uses_no_try(entered: str) -> None:
    session = make_sent_session()
    with pytest.raises(NotACode):
        try_code(session, entered)
    session.refresh_from_db()
    assert (session.state, session.tries, session.attempts.count()) == ("sent", 0, 0)


def test_sentence_with_the_code_verifies() -> None:
    session = make_sent_session()
    try_code(session, f"Your code is {CODE}, valid for 10 minutes.")
    assert session.state == "verified"


def test_earlier_code_of_another_length_is_recognised() -> None:
    user = make_user()
    earlier = make_sent_session(by=user, typed="1234")
    end_send_gap()
    session = make_sent_session(earlier.newest_code().message.account, by=user)
    assert try_code(session, "1234").state == "earlier"


def test_submitting_the_same_form_twice_uses_one_try() -> None:
    session = make_sent_session()
    first = try_code(session, WRONG, form_token="same")
    assert try_code(session, WRONG, form_token="same").pk == first.pk
    assert session.tries == 1


def test_concurrent_submissions_of_one_form_use_one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call misses the uncommitted attempt and then hits the unique constraint."""
    session = make_sent_session()
    first = try_code(session, WRONG, form_token="same")
    original, first_lookup = check_code._attempt_of_form, [True]
    monkeypatch.setattr(
        check_code,
        "_attempt_of_form",
        lambda token: None if first_lookup and first_lookup.pop() else original(token),
    )
    assert try_code(session, WRONG, form_token="same").pk == first.pk
    assert (session.tries, Attempt.objects.count()) == (1, 1)


def test_any_earlier_code_is_recognised() -> None:
    account = make_account("haosms")
    for typed in ("111111", "222222"):
        make_sent_session(account, typed=typed)
        end_send_gap()
    session = make_sent_session(account)
    assert try_code(session, "111111").state == "earlier"


def test_replaced_code_does_not_verify() -> None:
    session = make_sent_session()
    earlier = session.newest_code()
    end_send_gap()
    sessions.resend(session, session.account, by=make_user(), form_token="again")
    assert not check_code.verify(session, earlier, make_user())
    session.refresh_from_db()
    assert session.state != "verified"


def test_verification_without_a_user_cancels_no_message() -> None:
    session = make_session()
    assert check_code.verify(session, session.newest_code(), None)
    assert Message.objects.get().state == "queued"


def test_same_form_with_another_code_uses_another_try() -> None:
    session = make_sent_session()
    try_code(session, WRONG, form_token="same")
    assert try_code(session, CODE, form_token="same").state == "right"
    assert CODE not in "".join(str(one) for one in Attempt.objects.values_list("form_token"))


def test_one_of_two_concurrent_correct_codes_verifies() -> None:
    session = make_sent_session()
    by = make_user()

    def check_once() -> str:
        try:
            return check_code.check(session, CODE, by=by, form_token=None).state
        except sessions.NotOpen:
            return "closed"

    assert sorted(at_once(check_once, 2)) == ["closed", "right"]
    assert Session.objects.get().state == "verified"


def test_correct_code_and_report_do_not_deadlock() -> None:
    session, by = make_sent_session(state="send_unknown"), make_user()
    Message.objects.update(state="unknown")
    message = Message.objects.get()
    message_locked = threading.Event()

    def report() -> None:
        with transaction.atomic():
            Message.objects.select_for_update().get()
            message_locked.set()
            time.sleep(0.3)
            message_sync.sync_sessions([message.pk])

    def check() -> None:
        message_locked.wait(5)
        check_code.check(session, CODE, by=by, form_token=None)

    work = [report, check]
    at_once(lambda: work.pop()(), 2)
    assert Session.objects.get().state == "verified"


def test_concurrent_tries_get_at_most_five_answers() -> None:
    session = make_sent_session()
    by = make_user()

    def check_once() -> str:
        try:
            return check_code.check(session, WRONG, by=by, form_token=None).state
        except sessions.NotOpen:
            return "closed"

    answers = at_once(check_once, 8)
    assert answers.count("wrong") == 5
    assert (Session.objects.get().tries, Attempt.objects.count()) == (5, 5)


def test_expired_code_does_not_verify() -> None:
    session = expire_session(make_sent_session())
    with pytest.raises(sessions.NotOpen):
        try_code(session, CODE)
    session.refresh_from_db()
    assert session.state == "expired"


def test_slow_local_clock_does_not_revive_an_expired_code() -> None:
    session = expire_session(make_sent_session())
    with travel(timezone.now() - timedelta(days=1)), pytest.raises(sessions.NotOpen):
        try_code(session, CODE)


def test_fast_local_clock_does_not_expire_a_code() -> None:
    session = make_sent_session()
    with travel(datetime(2100, 1, 1, tzinfo=UTC)):
        try_code(session, CODE)
    assert session.state == "verified"


def test_code_can_be_checked_before_its_send_is_recorded() -> None:
    session = make_session()
    try_code(session, CODE)
    assert session.state == "verified"


def test_correct_code_settles_an_unknown_send(sandbox: Sandbox) -> None:
    sandbox.fault("reset_after", provider="haosms")
    session = run_sends(make_session(make_account("haosms", sandbox)))

    try_code(session, CODE)

    message = Message.objects.get()
    assert (session.state, message.state) == ("verified", "submitted")
    assert message.settled_because == '{"key": "outcome.correct_code"}'
    assert session.sent_at == message.handed_over_at


def test_earlier_verification_settles_a_send_that_becomes_unknown() -> None:
    session = make_session()
    Message.objects.update(state="sending")
    try_code(session, CODE)
    Message.objects.update(state="unknown")
    message_sync.sync_sessions([Message.objects.get().pk])
    assert Message.objects.get().state == "submitted"


def test_correct_code_cancels_its_waiting_message() -> None:
    try_code(make_session(), CODE)
    message = Message.objects.get()
    assert (message.state, bool(message.code)) == ("cancelled", False)


# --- provider codes -------------------------------------------------------------------


@pytest.fixture
def provider_session(sandbox: Sandbox) -> Session:
    return run_sends(make_session(make_account("otpservice", sandbox)))


def test_the_provider_verifies_its_own_code(sandbox: Sandbox, provider_session: Session) -> None:
    attempt = try_code(provider_session, code_of(sandbox, "otpservice"))
    assert attempt.state == "queued"

    attempt = run_checks(provider_session)

    assert (attempt.state, provider_session.state) == ("right", "verified")
    assert (
        ApiCall.objects.filter(subject=f"session:{provider_session.pk}", outcome="done").count()
        == 1
    )


@pytest.mark.parametrize("entered", ["123", "hello", "1234 or 5678"])
def test_what_cannot_be_the_code_of_a_provider_makes_no_call(
    provider_session: Session, entered: str
) -> None:
    before = ApiCall.objects.count()
    with pytest.raises(NotACode):
        try_code(provider_session, entered)
    provider_session.refresh_from_db()
    assert (provider_session.tries, provider_session.attempts.count()) == (0, 0)
    assert ApiCall.objects.count() == before


def test_entered_code_is_deleted_after_the_provider_answers(provider_session: Session) -> None:
    try_code(provider_session, "111222")
    attempt = run_checks(provider_session)
    assert (attempt.state, bool(attempt.code)) == ("wrong", False)
    assert (provider_session.state, provider_session.tries_left) == ("sent", 4)
    assert "111222" not in "".join(ApiCall.objects.values_list("url", flat=True))


def test_second_check_is_rejected_while_one_is_under_way(provider_session: Session) -> None:
    try_code(provider_session, WRONG)
    with pytest.raises(sessions.CheckUnderWay):
        try_code(provider_session, WRONG)
    provider_session.refresh_from_db()
    assert provider_session.tries == 1


def test_constraint_allows_one_of_two_concurrent_checks(
    provider_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call misses the uncommitted check and then hits the unique constraint."""
    try_code(provider_session, WRONG)
    monkeypatch.setattr(check_code, "UNDER_WAY", frozenset())
    with pytest.raises(sessions.CheckUnderWay):
        try_code(provider_session, WRONG)
    provider_session.refresh_from_db()
    assert (provider_session.tries, Attempt.objects.count()) == (1, 1)


@pytest.mark.parametrize("fault", ["reset_after", "html_502", "contradiction"])
def test_check_with_a_lost_answer_is_unknown_and_not_repeated(
    sandbox: Sandbox, provider_session: Session, fault: str
) -> None:
    code = code_of(sandbox, "otpservice")
    sandbox.fault(fault, provider="otpservice")
    try_code(provider_session, code)
    attempt = run_checks(provider_session)

    assert (attempt.state, provider_session.state) == ("unknown", "check_unknown")
    assert ApiCall.objects.filter(operation="check_code").count() == 1


def test_staff_can_check_again_after_an_unknown_check(
    sandbox: Sandbox, provider_session: Session
) -> None:
    code = code_of(sandbox, "otpservice")
    sandbox.fault("reset_before", provider="otpservice")
    try_code(provider_session, code)
    run_checks(provider_session)
    assert provider_session.state == "check_unknown"

    try_code(provider_session, code)
    run_checks(provider_session)
    assert (provider_session.state, provider_session.tries) == ("verified", 2)


def test_check_that_was_never_sent_returns_its_try(
    sandbox: Sandbox, provider_session: Session
) -> None:
    provider_session.account.base_url = "http://127.0.0.1:9"
    provider_session.account.save()
    try_code(provider_session, WRONG)
    Attempt.objects.update(tries=2)
    attempt = run_checks(provider_session)
    assert (attempt.state, provider_session.state, provider_session.tries) == (
        "not_done",
        "sent",
        0,
    )


@pytest.mark.parametrize(
    ("reason", "tries"), [(Reason.CREDENTIALS, 0), (Reason.ACCOUNT_DISABLED, 0), ("parameters", 1)]
)
def test_refusal_unrelated_to_the_code_uses_no_try(
    provider_session: Session, reason: Reason, tries: int
) -> None:
    try_code(provider_session, WRONG)
    source, claim = CheckSource(), uuid4()
    with transaction.atomic():
        jobs = source.claim(provider_session.account, 1, claim)
        source.mark_in_flight(jobs, claim)
        source.record([Result(jobs[0], error=Refused(Reason(reason)))], claim)
    provider_session.refresh_from_db()
    assert (Attempt.objects.get().state, provider_session.tries) == ("refused", tries)


def test_earlier_own_code_is_recognised_without_a_provider_call(sandbox: Sandbox) -> None:
    session = make_sent_session()
    end_send_gap()
    provider = make_account("otpservice", sandbox)
    sessions.resend(session, provider, by=make_user(), form_token="again")
    run_sends(session)
    assert try_code(session, CODE).state == "earlier"
    assert session.tries == 1


def test_pass_after_the_end_does_not_verify(sandbox: Sandbox, provider_session: Session) -> None:
    try_code(provider_session, code_of(sandbox, "otpservice"))
    expire_session(provider_session)
    attempt = run_checks(provider_session)
    run_sweeps()
    provider_session.refresh_from_db()
    assert (attempt.state, attempt.too_late, provider_session.state) == ("right", True, "expired")


def test_paused_account_still_checks(sandbox: Sandbox, provider_session: Session) -> None:
    provider_session.account.paused_at = timezone.now()
    provider_session.account.save()
    try_code(provider_session, code_of(sandbox, "otpservice"))
    run_checks(provider_session)
    assert provider_session.state == "verified"


def test_code_without_a_provider_id_uses_no_try(provider_session: Session) -> None:
    Message.objects.update(provider_id="")
    with pytest.raises(check_code.NoAnswerYet):
        try_code(provider_session, CODE)
    provider_session.refresh_from_db()
    assert provider_session.tries == 0


def test_stale_check_ends_as_not_done(provider_session: Session) -> None:
    try_code(provider_session, WRONG)
    Attempt.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    CheckSource().sweep()
    provider_session.refresh_from_db()
    assert (Attempt.objects.get().state, provider_session.tries) == (AttemptState.NOT_DONE, 0)


def test_check_of_a_dead_loop_becomes_unknown(provider_session: Session) -> None:
    try_code(provider_session, WRONG)
    long_ago = timezone.now() - timedelta(minutes=3)
    Attempt.objects.update(state="sending", claimed_at=long_ago, handed_over_at=long_ago)
    CheckSource().sweep()
    provider_session.refresh_from_db()
    assert (Attempt.objects.get().state, provider_session.state) == ("unknown", "check_unknown")


# --- provider reports -----------------------------------------------------------------


def report(session: Session, succeeded: bool = True) -> list[events.Match]:
    message = session.newest_code().message
    event = VerificationReported(message.reference, "", "SUCCESS 200", succeeded=succeeded)
    news = events.ReceivedEvent(session.account, event, timezone.now())
    with transaction.atomic():
        return events.publish(news)


def test_reported_success_is_stored_and_does_not_verify(provider_session: Session) -> None:
    matches = report(provider_session)
    provider_session.refresh_from_db()
    assert provider_session.state == "sent"
    assert provider_session.provider_says_verified_at is not None
    assert (f"session:{provider_session.pk}", "conflict") in [
        (each.subject, each.effect) for each in matches
    ]


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_report_that_overtakes_the_answer_is_no_conflict(
    provider_session: Session, state: str
) -> None:
    try_code(provider_session, WRONG)
    Attempt.objects.update(state=state)
    matches = report(provider_session)
    assert (f"session:{provider_session.pk}", "applied") in [
        (each.subject, each.effect) for each in matches
    ]
    provider_session.refresh_from_db()
    assert provider_session.state == "sent"


@pytest.mark.parametrize("state", ["verified", "expired", "cancelled", "failed"])
def test_report_does_not_reopen_an_ended_session(provider_session: Session, state: str) -> None:
    Session.objects.update(state=state)
    report(provider_session)
    provider_session.refresh_from_db()
    assert provider_session.state == state
