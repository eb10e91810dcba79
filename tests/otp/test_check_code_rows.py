"""What a check of a code writes, and which rows it leaves alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.utils import timezone
from time_machine import travel

from messaging.models import Message
from otp import check_code, sessions
from otp.models import Attempt, SentCode, Session
from providers.models import DailyUse
from tests.factories.accounts import make_account
from tests.factories.codes import WRONG, let_gap_pass, make_sent, make_session, try_code
from tests.factories.messages import CODE
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db

OTHER_NUMBER = "+8613800138000"
NEWER = "135790"


@pytest.fixture
def by() -> User:
    return make_user()


def make_theirs() -> Session:
    """A session whose code the provider made and checks."""
    return make_sent(make_account("otpservice"))


def as_it_stands(session: Session) -> dict[str, object]:
    return dict(Session.objects.filter(pk=session.pk).values().get())


# --- the try ---------------------------------------------------------------------


def test_try_says_who_made_it_when_and_over_which_account(by: User) -> None:
    session, before = make_sent(), timezone.now()
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


def test_session_that_was_handed_in_knows_its_try(by: User) -> None:
    session = make_sent()
    check_code.check(session, WRONG, by=by, form_token=None)
    assert session.tries == 1


def test_check_counts_for_its_own_session_alone() -> None:
    session, other = make_sent(), make_sent(recipient=OTHER_NUMBER)
    before = as_it_stands(other)
    try_code(session, WRONG)
    try_code(session, CODE)
    assert session.state == "verified"
    assert as_it_stands(other) == before


def test_fifth_wrong_try_ends_its_own_session_alone() -> None:
    session, other = make_sent(tries=4), make_sent(recipient=OTHER_NUMBER, tries=5)
    before = as_it_stands(other)
    started = timezone.now()
    try_code(session, WRONG)
    assert (session.state, session.reason) == ("failed", "tries_used")
    assert session.ended_at is not None
    assert session.ended_at >= started
    assert as_it_stands(other) == before


def test_expired_session_ends_alone() -> None:
    past = timezone.now() - timedelta(minutes=1)
    session, other = (make_sent(recipient=number) for number in ("+8613912345678", OTHER_NUMBER))
    Session.objects.update(expires_at=past)
    with pytest.raises(sessions.NotOpen):
        try_code(session, CODE)
    states = Session.objects.in_bulk()
    assert (states[session.pk].state, states[other.pk].state) == ("expired", "sent")


def test_try_is_given_back_to_its_own_session_and_never_below_none() -> None:
    session, other = make_sent(tries=1), make_sent(recipient=OTHER_NUMBER, tries=1)
    for _ in range(2):
        check_code.give_try_back(session.pk)
        session.refresh_from_db()
        other.refresh_from_db()
        assert (session.tries, other.tries) == (0, 1)


# --- the same form at the same moment --------------------------------------------


@pytest.fixture
def collision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another request writes its try between our look for it and our own."""

    def collide(*args: object) -> Attempt:
        raise IntegrityError

    monkeypatch.setattr(check_code, "_try", collide)


@pytest.mark.usefixtures("collision")
def test_same_form_at_the_same_moment_returns_the_try_of_the_other_request(
    by: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Attempt()
    looks = iter([None, written])
    monkeypatch.setattr(check_code, "_earlier_try", lambda token: next(looks))
    assert check_code.check(make_sent(), CODE, by=by, form_token="form") is written


@pytest.mark.usefixtures("collision")
def test_another_check_of_this_session_at_the_same_moment_is_under_way(by: User) -> None:
    with pytest.raises(sessions.CheckUnderWay):
        check_code.check(make_sent(), CODE, by=by, form_token="form")


# --- what a right code ends --------------------------------------------------------


def test_verified_session_says_when_and_by_whom(by: User) -> None:
    session = make_sent()
    try_code(session, CODE, by)
    assert session.verified_at is not None
    assert session.verified_at == session.ended_at
    assert session.ended_by == by


def test_code_that_a_newer_one_replaced_does_not_verify(by: User) -> None:
    session = make_sent()
    code = session.newest_code()
    let_gap_pass()
    sessions.send_again(session, make_account("haosms"), by=by, form_token="again")
    assert not check_code.verify(session, code, by)
    session.refresh_from_db()
    assert session.state == "pending"


def test_newer_codes_of_other_sessions_do_not_matter(by: User) -> None:
    session, other = make_sent(), make_sent(recipient=OTHER_NUMBER)
    SentCode.objects.filter(session=other).update(serial=2)
    assert check_code.verify(session, session.newest_code(), by)


def test_right_code_settles_its_own_message_alone(by: User) -> None:
    session, other = (
        make_sent(recipient=number, state="send_unknown")
        for number in ("+8613912345678", OTHER_NUMBER)
    )
    Message.objects.update(state="unknown")
    try_code(session, CODE, by)
    assert session.newest_code().message.state == "submitted"
    assert other.newest_code().message.state == "unknown"


@pytest.mark.parametrize("was_handed_over", [True, False])
def test_right_code_tells_when_an_sms_of_unknown_outcome_went_out(was_handed_over: bool) -> None:
    session, other = make_session(), make_session(recipient=OTHER_NUMBER)
    handed_over = timezone.now() - timedelta(minutes=3) if was_handed_over else None
    Message.objects.update(state="unknown", handed_over_at=handed_over)
    try_code(session, CODE)
    message = session.newest_code().message
    assert session.sent_at == (handed_over or message.created_at)
    other.refresh_from_db()
    assert other.sent_at is None


def test_time_of_sending_that_is_known_stays() -> None:
    session = make_sent()
    known = session.sent_at
    Message.objects.update(state="unknown", handed_over_at=timezone.now() - timedelta(minutes=3))
    try_code(session, CODE)
    assert session.sent_at == known


def test_message_that_waits_is_not_cancelled_without_a_person() -> None:
    session = make_session()
    assert check_code.verify(session, session.newest_code(), None)
    session.refresh_from_db()
    assert (session.state, session.ended_by) == ("verified", None)
    assert session.newest_code().message.state == "queued"


# --- earlier codes -----------------------------------------------------------------


def make_newer(recipient: str = "+8613912345678") -> Session:
    """A further session with another code, whatever the limits of a day say."""
    let_gap_pass(recipient)
    DailyUse.objects.all().delete()
    return make_sent(recipient=recipient, typed=NEWER)


def test_earlier_code_of_the_number_is_recognised_for_an_hour() -> None:
    first = make_sent()
    session = make_newer()
    sent = SentCode.objects.filter(session=first)
    with travel(timezone.now(), tick=False):
        sent.update(made_at=timezone.now() - timedelta(minutes=60, seconds=-1))
        attempt = try_code(session, CODE)
        assert (attempt.state, attempt.sent_code) == ("earlier", first.newest_code())
        sent.update(made_at=timezone.now() - timedelta(minutes=60))
        assert try_code(session, CODE).state == "wrong"


def test_earlier_code_of_another_number_is_wrong() -> None:
    make_sent(recipient=OTHER_NUMBER)
    assert try_code(make_newer(), CODE).state == "wrong"


@pytest.mark.parametrize(("between", "state"), [(9, "earlier"), (10, "wrong")])
def test_ten_earlier_codes_of_a_number_are_recognised(between: int, state: str) -> None:
    make_sent()
    for _ in range(between):
        make_newer()
    assert try_code(make_newer(), CODE).state == state


# --- codes that the provider made --------------------------------------------------


def test_question_to_the_provider_is_written_down_and_wakes_the_engine(
    by: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    wakes: list[str] = []
    monkeypatch.setattr(check_code, "kick_if_idle", lambda: wakes.append("kick"))
    session = make_theirs()
    attempt = try_code(session, CODE, by)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.sent_code) == ("queued", session.newest_code())
    assert attempt.code.reveal() == CODE
    assert attempt.ended_at is None
    assert wakes == ["kick"]


@pytest.mark.parametrize("state", ["queued", "claimed", "sending"])
def test_second_question_waits_for_the_answer_to_the_first(state: str) -> None:
    session = make_theirs()
    try_code(session, WRONG)
    Attempt.objects.update(state=state)
    with pytest.raises(sessions.CheckUnderWay):
        try_code(session, CODE)
    assert Session.objects.get(pk=session.pk).tries == 1
