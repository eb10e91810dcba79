"""Trying a code: once, at most five times, in time, and by whom it is decided."""

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
    let_engine_check,
    let_engine_send,
    let_gap_pass,
    let_time_pass,
    make_sent,
    make_session,
    try_code,
)
from tests.factories.messages import CODE
from tests.factories.staff import make_user
from tests.support.engine import run_sweeps
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


# --- codes of ours --------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [CODE, f" {CODE} ", "482 913", "482-913", "４８２９１３", "4 8 2\u00a09 1\u200b3"]
)
def test_the_right_code_verifies_however_it_is_written(said: str) -> None:
    session = make_sent()
    assert try_code(session, said).state == "right"
    assert session.state == "verified"
    assert session.verified_at is not None


def test_letters_are_taken_in_either_case() -> None:
    session = make_sent(typed="Ab3Xy9")
    try_code(session, "aB3xY9")
    assert session.state == "verified"


def test_a_wrong_code_costs_a_try() -> None:
    session = make_sent()
    assert try_code(session, WRONG).state == "wrong"
    assert (session.state, session.tries_left) == ("sent", 4)


def test_after_five_wrong_tries_the_right_code_is_too_late() -> None:
    session = make_sent()
    for _ in range(5):
        try_code(session, WRONG)
    assert (session.state, session.reason) == ("failed", "tries_used")
    with pytest.raises(sessions.NotOpen):
        try_code(session, CODE)


def test_the_fifth_try_may_be_the_right_one() -> None:
    session = make_sent(tries=4)
    try_code(session, CODE)
    assert session.state == "verified"


def test_a_code_verifies_once() -> None:
    session = make_sent()
    try_code(session, CODE)
    with pytest.raises(sessions.NotOpen):
        try_code(session, CODE)


@pytest.mark.parametrize("nothing", ["", "  ", "-- -", "\u200b"])
def test_nothing_entered_costs_no_try(nothing: str) -> None:
    session = make_sent()
    with pytest.raises(check_code.NothingEntered):
        try_code(session, nothing)
    session.refresh_from_db()
    assert session.tries == 0


def test_the_same_form_is_one_try() -> None:
    session = make_sent()
    first = try_code(session, WRONG, form_token="same")
    assert try_code(session, WRONG, form_token="same").pk == first.pk
    assert session.tries == 1


def test_two_forms_at_once_are_one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second looks for the first before it is committed, and then meets the constraint."""
    session = make_sent()
    first = try_code(session, WRONG, form_token="same")
    look, blind = check_code._attempt_of_form, [True]
    monkeypatch.setattr(
        check_code, "_attempt_of_form", lambda token: None if blind and blind.pop() else look(token)
    )
    assert try_code(session, WRONG, form_token="same").pk == first.pk
    assert (session.tries, Attempt.objects.count()) == (1, 1)


def test_an_earlier_code_is_recognised_whichever_it_was() -> None:
    account = make_account("haosms")
    for typed in ("111111", "222222"):
        make_sent(account, typed=typed)
        let_gap_pass()
    session = make_sent(account)
    assert try_code(session, "111111").state == "earlier"


def test_a_code_that_a_newer_one_replaced_verifies_nothing() -> None:
    session = make_sent()
    earlier = session.newest_code()
    let_gap_pass()
    sessions.resend(session, session.account, by=make_user(), form_token="again")
    assert not check_code.verify(session, earlier, make_user())
    session.refresh_from_db()
    assert session.state != "verified"


def test_without_a_person_a_right_code_cancels_no_message() -> None:
    session = make_session()
    assert check_code.verify(session, session.newest_code(), None)
    assert Message.objects.get().state == "queued"


def test_the_same_form_with_another_code_is_another_try() -> None:
    session = make_sent()
    try_code(session, WRONG, form_token="same")
    assert try_code(session, CODE, form_token="same").state == "right"
    assert CODE not in "".join(str(one) for one in Attempt.objects.values_list("form_token"))


def test_of_two_right_answers_at_once_one_verifies() -> None:
    session = make_sent()
    by = make_user()

    def one() -> str:
        try:
            return check_code.check(session, CODE, by=by, form_token=None).state
        except sessions.NotOpen:
            return "closed"

    assert sorted(at_once(one, 2)) == ["closed", "right"]
    assert Session.objects.get().state == "verified"


def test_a_right_code_and_a_report_do_not_wait_for_each_other() -> None:
    session, by = make_sent(state="send_unknown"), make_user()
    Message.objects.update(state="unknown")
    message = Message.objects.get()
    locked = threading.Event()

    def report() -> None:
        with transaction.atomic():
            Message.objects.select_for_update().get()
            locked.set()
            time.sleep(0.3)
            message_sync.sync_sessions([message.pk])

    def check() -> None:
        locked.wait(5)
        check_code.check(session, CODE, by=by, form_token=None)

    work = [report, check]
    at_once(lambda: work.pop()(), 2)
    assert Session.objects.get().state == "verified"


def test_however_many_try_at_once_five_are_answered() -> None:
    session = make_sent()
    by = make_user()

    def one() -> str:
        try:
            return check_code.check(session, WRONG, by=by, form_token=None).state
        except sessions.NotOpen:
            return "closed"

    answers = at_once(one, 8)
    assert answers.count("wrong") == 5
    assert (Session.objects.get().tries, Attempt.objects.count()) == (5, 5)


def test_an_expired_code_never_verifies() -> None:
    session = let_time_pass(make_sent())
    with pytest.raises(sessions.NotOpen):
        try_code(session, CODE)
    session.refresh_from_db()
    assert session.state == "expired"


def test_a_wrong_clock_of_this_machine_does_not_bring_it_back() -> None:
    session = let_time_pass(make_sent())
    with travel(timezone.now() - timedelta(days=1)), pytest.raises(sessions.NotOpen):
        try_code(session, CODE)


def test_a_clock_that_is_ahead_does_not_end_it() -> None:
    session = make_sent()
    with travel(datetime(2100, 1, 1, tzinfo=UTC)):
        try_code(session, CODE)
    assert session.state == "verified"


def test_a_code_can_be_checked_before_its_send_has_been_recorded() -> None:
    session = make_session()
    try_code(session, CODE)
    assert session.state == "verified"


def test_the_right_code_settles_an_unknown_send(sandbox: Sandbox) -> None:
    sandbox.fault("reset_after", provider="haosms")
    session = let_engine_send(make_session(make_account("haosms", sandbox)))

    try_code(session, CODE)

    message = Message.objects.get()
    assert (session.state, message.state) == ("verified", "submitted")
    assert message.settled_because == "The right code was read out"
    assert session.sent_at == message.handed_over_at


def test_a_code_that_is_verified_first_settles_a_send_that_is_lost_later() -> None:
    session = make_session()
    Message.objects.update(state="sending")
    try_code(session, CODE)
    Message.objects.update(state="unknown")
    message_sync.sync_sessions([Message.objects.get().pk])
    assert Message.objects.get().state == "submitted"


def test_what_still_waits_when_its_code_was_right_is_not_sent() -> None:
    try_code(make_session(), CODE)
    message = Message.objects.get()
    assert (message.state, bool(message.code)) == ("cancelled", False)


# --- codes of theirs ------------------------------------------------------------------


@pytest.fixture
def theirs(sandbox: Sandbox) -> Session:
    return let_engine_send(make_session(make_account("otpservice", sandbox)))


def test_the_provider_verifies_its_own_code(sandbox: Sandbox, theirs: Session) -> None:
    attempt = try_code(theirs, code_of(sandbox, "otpservice"))
    assert attempt.state == "queued"

    attempt = let_engine_check(theirs)

    assert (attempt.state, theirs.state) == ("right", "verified")
    assert ApiCall.objects.filter(subject=f"session:{theirs.pk}", outcome="done").count() == 1


def test_what_was_read_out_is_gone_once_the_provider_answered(theirs: Session) -> None:
    try_code(theirs, "111222")
    attempt = let_engine_check(theirs)
    assert (attempt.state, bool(attempt.code)) == ("wrong", False)
    assert (theirs.state, theirs.tries_left) == ("sent", 4)
    assert "111222" not in "".join(ApiCall.objects.values_list("url", flat=True))


def test_the_provider_is_asked_about_one_code_at_a_time(theirs: Session) -> None:
    try_code(theirs, WRONG)
    with pytest.raises(sessions.CheckUnderWay):
        try_code(theirs, WRONG)
    theirs.refresh_from_db()
    assert theirs.tries == 1


def test_of_two_checks_at_once_the_provider_is_asked_about_one(
    theirs: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second looks before the first is committed, and then meets the constraint."""
    try_code(theirs, WRONG)
    monkeypatch.setattr(check_code, "UNDER_WAY", frozenset())
    with pytest.raises(sessions.CheckUnderWay):
        try_code(theirs, WRONG)
    theirs.refresh_from_db()
    assert (theirs.tries, Attempt.objects.count()) == (1, 1)


@pytest.mark.parametrize("fault", ["reset_after", "html_502", "contradiction"])
def test_a_check_whose_answer_is_lost_is_unknown_and_not_repeated(
    sandbox: Sandbox, theirs: Session, fault: str
) -> None:
    code = code_of(sandbox, "otpservice")
    sandbox.fault(fault, provider="otpservice")
    try_code(theirs, code)
    attempt = let_engine_check(theirs)

    assert (attempt.state, theirs.state) == ("unknown", "check_unknown")
    assert ApiCall.objects.filter(operation="check_code").count() == 1


def test_staff_may_check_again_after_an_unknown_one(sandbox: Sandbox, theirs: Session) -> None:
    code = code_of(sandbox, "otpservice")
    sandbox.fault("reset_before", provider="otpservice")
    try_code(theirs, code)
    let_engine_check(theirs)
    assert theirs.state == "check_unknown"

    try_code(theirs, code)
    let_engine_check(theirs)
    assert (theirs.state, theirs.tries) == ("verified", 2)


def test_a_check_that_never_left_gives_its_try_back(sandbox: Sandbox, theirs: Session) -> None:
    theirs.account.base_url = "http://127.0.0.1:9"
    theirs.account.save()
    try_code(theirs, WRONG)
    Attempt.objects.update(tries=2)
    attempt = let_engine_check(theirs)
    assert (attempt.state, theirs.state, theirs.tries) == ("not_done", "sent", 0)


@pytest.mark.parametrize(
    ("reason", "tries"), [(Reason.CREDENTIALS, 0), (Reason.ACCOUNT_DISABLED, 0), ("parameters", 1)]
)
def test_a_refusal_that_is_not_about_the_code_costs_no_try(
    theirs: Session, reason: Reason, tries: int
) -> None:
    try_code(theirs, WRONG)
    source, claim = CheckSource(), uuid4()
    with transaction.atomic():
        jobs = source.claim(theirs.account, 1, claim)
        source.mark_in_flight(jobs, claim)
        source.record([Result(jobs[0], error=Refused(Reason(reason)))], claim)
    theirs.refresh_from_db()
    assert (Attempt.objects.get().state, theirs.tries) == ("refused", tries)


def test_our_earlier_code_is_known_without_asking_the_provider(sandbox: Sandbox) -> None:
    session = make_sent()
    let_gap_pass()
    provider = make_account("otpservice", sandbox)
    sessions.resend(session, provider, by=make_user(), form_token="again")
    let_engine_send(session)
    assert try_code(session, CODE).state == "earlier"
    assert session.tries == 1


def test_a_pass_after_the_end_does_not_verify(sandbox: Sandbox, theirs: Session) -> None:
    try_code(theirs, code_of(sandbox, "otpservice"))
    let_time_pass(theirs)
    attempt = let_engine_check(theirs)
    run_sweeps()
    theirs.refresh_from_db()
    assert (attempt.state, attempt.too_late, theirs.state) == ("right", True, "expired")


def test_a_paused_account_still_checks(sandbox: Sandbox, theirs: Session) -> None:
    theirs.account.paused_at = timezone.now()
    theirs.account.save()
    try_code(theirs, code_of(sandbox, "otpservice"))
    let_engine_check(theirs)
    assert theirs.state == "verified"


def test_a_code_that_the_provider_gave_no_id_for_costs_no_try(theirs: Session) -> None:
    Message.objects.update(provider_id="")
    with pytest.raises(check_code.NoAnswerYet):
        try_code(theirs, CODE)
    theirs.refresh_from_db()
    assert theirs.tries == 0


def test_a_check_that_waited_too_long_was_never_made(theirs: Session) -> None:
    try_code(theirs, WRONG)
    Attempt.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    CheckSource().sweep()
    theirs.refresh_from_db()
    assert (Attempt.objects.get().state, theirs.tries) == (AttemptState.NOT_DONE, 0)


def test_a_check_whose_loop_died_ends_unknown(theirs: Session) -> None:
    try_code(theirs, WRONG)
    long_ago = timezone.now() - timedelta(minutes=3)
    Attempt.objects.update(state="sending", claimed_at=long_ago, handed_over_at=long_ago)
    CheckSource().sweep()
    theirs.refresh_from_db()
    assert (Attempt.objects.get().state, theirs.state) == ("unknown", "check_unknown")


# --- what they report -----------------------------------------------------------------


def report(session: Session, succeeded: bool = True) -> list[events.Match]:
    message = session.newest_code().message
    event = VerificationReported(message.reference, "", "SUCCESS 200", succeeded=succeeded)
    news = events.ReceivedEvent(session.account, event, timezone.now())
    with transaction.atomic():
        return events.publish(news)


def test_a_report_of_success_is_kept_and_verifies_nothing(theirs: Session) -> None:
    heard = report(theirs)
    theirs.refresh_from_db()
    assert theirs.state == "sent"
    assert theirs.provider_says_verified_at is not None
    assert (f"session:{theirs.pk}", "conflict") in [(each.subject, each.effect) for each in heard]


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_report_that_overtakes_the_answer_contradicts_nothing(
    theirs: Session, state: str
) -> None:
    try_code(theirs, WRONG)
    Attempt.objects.update(state=state)
    heard = report(theirs)
    assert (f"session:{theirs.pk}", "applied") in [(each.subject, each.effect) for each in heard]
    theirs.refresh_from_db()
    assert theirs.state == "sent"


@pytest.mark.parametrize("state", ["verified", "expired", "cancelled", "failed"])
def test_a_report_brings_no_session_back(theirs: Session, state: str) -> None:
    Session.objects.update(state=state)
    report(theirs)
    theirs.refresh_from_db()
    assert theirs.state == state
