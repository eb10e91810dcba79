"""The columns that a check of a code writes, and the rows that it must not change."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from time_machine import travel

from messaging.models import Message
from otp import check_code, sessions
from otp.models import Attempt, SentCode, Session
from providers.models import DailyUse
from tests.factories.accounts import make_account
from tests.factories.codes import WRONG, end_send_gap, make_sent_session, make_session, try_code
from tests.factories.messages import CODE
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db

OTHER_NUMBER = "+8613800138000"
NEWER = "135790"


@pytest.fixture
def by() -> User:
    return make_user()


def make_provider_session() -> Session:
    """A sent session whose code the provider makes and checks."""
    return make_sent_session(make_account("otpservice"))


def columns_of(session: Session) -> dict[str, object]:
    return dict(Session.objects.filter(pk=session.pk).values().get())


# --- the try ---------------------------------------------------------------------


def test_attempt_records_user_time_and_account(by: User) -> None:
    session, before = make_sent_session(), timezone.now()
    attempt = check_code.check(session, WRONG, by=by, form_token="form")
    attempt.refresh_from_db()
    assert (attempt.session, attempt.sent_code) == (session, session.newest_code())
    assert (attempt.account, attempt.created_by) == (session.newest_code().message.account, by)
    assert before <= attempt.created_at <= timezone.now()
    assert (attempt.state, attempt.ended_at, attempt.too_late) == (
        "wrong",
        attempt.created_at,
        False,
    )
    assert attempt.form_token not in (None, "", "form")


def test_check_updates_the_passed_session(by: User) -> None:
    session = make_sent_session()
    check_code.check(session, WRONG, by=by, form_token=None)
    assert session.tries == 1


def test_check_changes_only_its_own_session() -> None:
    session, other = make_sent_session(), make_sent_session(recipient=OTHER_NUMBER)
    before = columns_of(other)
    try_code(session, WRONG)
    try_code(session, CODE)
    assert session.state == "verified"
    assert columns_of(other) == before


def test_fifth_wrong_try_fails_only_its_own_session() -> None:
    session, other = make_sent_session(tries=4), make_sent_session(recipient=OTHER_NUMBER, tries=5)
    before = columns_of(other)
    started = timezone.now()
    try_code(session, WRONG)
    assert (session.state, session.reason) == ("failed", "tries_used")
    assert session.ended_at is not None
    assert session.ended_at >= started
    assert columns_of(other) == before


def test_check_expires_only_its_own_session() -> None:
    past = timezone.now() - timedelta(minutes=1)
    session, other = (
        make_sent_session(recipient=number) for number in ("+8613912345678", OTHER_NUMBER)
    )
    Session.objects.update(expires_at=past)
    with pytest.raises(sessions.NotOpen):
        try_code(session, CODE)
    states = Session.objects.in_bulk()
    assert (states[session.pk].state, states[other.pk].state) == ("expired", "sent")


@pytest.mark.parametrize("state", ["pending", "sent", "send_unknown", "check_unknown"])
def test_session_without_tries_left_takes_none_whatever_its_state(state: str) -> None:
    session = make_sent_session(tries=5, state=state)
    with pytest.raises(sessions.NotOpen):
        try_code(session, CODE)
    assert Session.objects.get(pk=session.pk).tries == 5
    assert not Attempt.objects.exists()


def test_try_is_returned_to_its_own_session_and_never_below_zero() -> None:
    session, other = make_sent_session(tries=1), make_sent_session(recipient=OTHER_NUMBER, tries=1)
    for _ in range(2):
        check_code.return_try(session.pk)
        session.refresh_from_db()
        other.refresh_from_db()
        assert (session.tries, other.tries) == (0, 1)


def test_its_unsure_sends_are_locked_before_the_session_is_touched(by: User) -> None:
    session = make_sent_session(state="send_unknown")
    with CaptureQueriesContext(connection) as asked:
        check_code.check(session, CODE, by=by, form_token="form")
    statements = [query["sql"] for query in asked]
    (lock, *_) = (
        number
        for number, statement in enumerate(statements)
        if 'FROM "messaging_message"' in statement and "IN ('unknown', 'held')" in statement
    )
    (touch, *_) = (
        number
        for number, statement in enumerate(statements)
        if statement.startswith('UPDATE "otp_session"')
    )
    assert lock < touch
    assert f'"session_id" = {session.pk}' in statements[lock]


def test_correct_code_after_the_end_is_reported_as_late(
    by: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not try_code(make_sent_session(), CODE, by).too_late
    monkeypatch.setattr(check_code, "verify", lambda *args: False)
    late = try_code(make_sent_session(recipient=OTHER_NUMBER), CODE, by)
    assert (late.state, late.too_late) == ("right", True)


# --- concurrent submissions ------------------------------------------------------


@pytest.fixture
def collision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another request saves its attempt between this one's lookup and insert."""

    def collide(*args: object) -> Attempt:
        raise IntegrityError

    monkeypatch.setattr(check_code, "_use_try_and_decide", collide)


@pytest.mark.usefixtures("collision")
def test_concurrent_submission_of_a_form_returns_the_first_attempt(
    by: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = Attempt()
    lookups = iter([None, saved])
    monkeypatch.setattr(check_code, "_attempt_of_form", lambda token: next(lookups))
    assert check_code.check(make_sent_session(), CODE, by=by, form_token="form") is saved


@pytest.mark.usefixtures("collision")
def test_concurrent_check_of_a_session_is_under_way(by: User) -> None:
    with pytest.raises(sessions.CheckUnderWay):
        check_code.check(make_sent_session(), CODE, by=by, form_token="form")


# --- effects of a correct code -----------------------------------------------------


def test_verified_session_records_time_and_user(by: User) -> None:
    session = make_sent_session()
    try_code(session, CODE, by)
    assert session.verified_at is not None
    assert session.verified_at == session.ended_at
    assert session.ended_by == by


def test_replaced_code_does_not_verify(by: User) -> None:
    session = make_sent_session()
    code = session.newest_code()
    end_send_gap()
    sessions.resend(session, make_account("haosms"), by=by, form_token="again")
    assert check_code.verify(session, code, by) is False
    session.refresh_from_db()
    assert session.state == "pending"


def test_newer_codes_of_other_sessions_are_ignored(by: User) -> None:
    session, other = make_sent_session(), make_sent_session(recipient=OTHER_NUMBER)
    SentCode.objects.filter(session=other).update(serial=2)
    assert check_code.verify(session, session.newest_code(), by)


def test_correct_code_settles_only_its_own_message(by: User) -> None:
    session, other = (
        make_sent_session(recipient=number, state="send_unknown")
        for number in ("+8613912345678", OTHER_NUMBER)
    )
    Message.objects.update(state="unknown")
    try_code(session, CODE, by)
    assert session.newest_code().message.state == "submitted"
    assert other.newest_code().message.state == "unknown"


@pytest.mark.parametrize("was_handed_over", [True, False])
def test_correct_code_sets_the_sending_time_of_an_unknown_message(was_handed_over: bool) -> None:
    session, other = make_session(), make_session(recipient=OTHER_NUMBER)
    handed_over = timezone.now() - timedelta(minutes=3) if was_handed_over else None
    Message.objects.update(state="unknown", handed_over_at=handed_over)
    try_code(session, CODE)
    message = session.newest_code().message
    assert session.sent_at == (handed_over or message.created_at)
    other.refresh_from_db()
    assert other.sent_at is None


def test_known_sending_time_is_kept() -> None:
    session = make_sent_session()
    known = session.sent_at
    Message.objects.update(state="unknown", handed_over_at=timezone.now() - timedelta(minutes=3))
    try_code(session, CODE)
    assert session.sent_at == known


def test_waiting_message_is_not_cancelled_without_a_user() -> None:
    session = make_session()
    assert check_code.verify(session, session.newest_code(), None)
    session.refresh_from_db()
    assert (session.state, session.ended_by) == ("verified", None)
    assert session.newest_code().message.state == "queued"


# --- earlier codes -----------------------------------------------------------------


def make_newer(recipient: str = "+8613912345678") -> Session:
    """Another session with another code, regardless of the gap and the daily limits."""
    end_send_gap(recipient)
    DailyUse.objects.all().delete()
    return make_sent_session(recipient=recipient, typed=NEWER)


def test_earlier_code_of_the_number_is_recognised_for_an_hour() -> None:
    first = make_sent_session()
    session = make_newer()
    sent = SentCode.objects.filter(session=first)
    with travel(timezone.now(), tick=False):
        sent.update(made_at=timezone.now() - timedelta(minutes=60, seconds=-1))
        attempt = try_code(session, CODE)
        assert (attempt.state, attempt.sent_code) == ("earlier", first.newest_code())
        sent.update(made_at=timezone.now() - timedelta(minutes=60))
        assert try_code(session, CODE).state == "wrong"


def test_earlier_code_of_another_number_is_wrong() -> None:
    make_sent_session(recipient=OTHER_NUMBER)
    assert try_code(make_newer(), CODE).state == "wrong"


@pytest.mark.parametrize(("between", "state"), [(9, "earlier"), (10, "wrong")])
def test_ten_earlier_codes_of_a_number_are_recognised(between: int, state: str) -> None:
    make_sent_session()
    for _ in range(between):
        make_newer()
    assert try_code(make_newer(), CODE).state == state


# --- provider codes ----------------------------------------------------------------


def test_provider_check_is_queued_and_wakes_the_engine(
    by: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    wakes: list[str] = []
    monkeypatch.setattr(check_code, "wake_engine", lambda: wakes.append("wake"))
    session = make_provider_session()
    attempt = try_code(session, CODE, by)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.sent_code) == ("queued", session.newest_code())
    assert attempt.code.reveal() == CODE
    assert attempt.ended_at is None
    assert wakes == ["wake"]


@pytest.mark.parametrize("state", ["queued", "claimed", "sending"])
def test_second_provider_check_is_rejected_while_one_is_under_way(state: str) -> None:
    session = make_provider_session()
    try_code(session, WRONG)
    Attempt.objects.update(state=state)
    with pytest.raises(sessions.CheckUnderWay):
        try_code(session, CODE)
    assert Session.objects.get(pk=session.pk).tries == 1


def test_earlier_code_waits_for_the_answer_about_the_newest_too() -> None:
    make_sent_session()
    end_send_gap()
    session = make_provider_session()
    try_code(session, WRONG)
    with pytest.raises(sessions.CheckUnderWay):
        try_code(session, CODE)
    assert Session.objects.get(pk=session.pk).tries == Attempt.objects.count() == 1
