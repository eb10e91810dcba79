"""A code's way out: over each provider, again, and over another account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F

from messaging.models import Message
from otp import limits, message_sync, sessions
from otp.models import SentCode, Session
from providers.daily_limits import LimitReached
from providers.engine.work_source import sources
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.codes import (
    NUMBER,
    code_of,
    let_engine_send,
    let_gap_pass,
    let_time_pass,
    make_sent,
    make_session,
    try_code,
)
from tests.factories.messages import CODE
from tests.factories.staff import make_user
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def all_messages() -> list[int]:
    return list(Message.objects.values_list("pk", flat=True))


def again(session: Session, account: object = None, token: str = "again") -> Session:
    to = account or session.account
    sent, _ = sessions.resend(session, to, by=make_user(), form_token=token)  # type: ignore[arg-type]
    return sent


@pytest.mark.parametrize("provider", ["haosms", "haorui"])
def test_a_code_of_ours_goes_out_and_verifies(sandbox: Sandbox, provider: str) -> None:
    session = let_engine_send(make_session(make_account(provider, sandbox), typed=""))

    assert session.state == "sent"
    try_code(session, code_of(sandbox, provider))
    assert session.state == "verified"


def test_a_text_of_ours_carries_the_code_and_is_stored_without_it(sandbox: Sandbox) -> None:
    session = let_engine_send(make_session(make_account("haorui", sandbox)))

    (entry,) = sandbox.book.entries()
    assert CODE in str(entry.fields["textmessage"])
    message = session.newest_code().message
    assert CODE not in message.text
    assert "••••••" in message.text
    assert (message.encoding, message.segments) == ("gsm7", 1)


def test_the_time_begins_anew_when_the_provider_took_it(sandbox: Sandbox) -> None:
    session = make_session(make_account("haosms", sandbox))
    Session.objects.update(expires_at=F("expires_at") - timedelta(minutes=3))
    before = Session.objects.get().expires_at

    assert let_engine_send(session).expires_at > before + timedelta(minutes=2)


def test_a_refusal_fails_the_session_with_its_reason(sandbox: Sandbox) -> None:
    session = let_engine_send(
        make_session(make_account("haosms", sandbox), recipient="13912999001")
    )
    assert (session.state, session.reason) == ("failed", "other_refusal")


def test_a_lost_answer_leaves_the_sending_unknown(sandbox: Sandbox) -> None:
    sandbox.fault("reset_after", provider="haosms")
    session = let_engine_send(make_session(make_account("haosms", sandbox)))
    assert session.state == "send_unknown"
    assert not session.newest_code().message.code, "nobody can need it any more"


def test_a_code_that_waited_two_minutes_is_not_sent() -> None:
    session = make_session()
    Message.objects.update(queued_at=F("queued_at") - timedelta(minutes=3))
    for source in sources():
        source.sweep()
    session.refresh_from_db()
    assert (session.state, session.newest_code().message.state) == ("failed", "not_sent")


def test_the_same_form_makes_one_session() -> None:
    account, by = make_account("haosms"), make_user()
    first = make_session(account, by=by, form_token="same")
    second = make_session(account, by=by, form_token="same")
    assert first.pk == second.pk
    assert SentCode.objects.count() == 1


def test_a_new_session_ends_the_open_one_of_that_number() -> None:
    first = make_sent()
    let_gap_pass()
    make_session(first.account)
    first.refresh_from_db()
    assert (first.state, first.reason) == ("cancelled", "replaced")


# --- again ----------------------------------------------------------------------------


def test_a_resend_makes_a_new_code_and_the_old_one_is_known_as_such() -> None:
    session = make_sent()
    let_gap_pass()
    again(session)

    attempt = try_code(session, CODE)
    assert (attempt.state, session.state) == ("earlier", "pending")
    assert attempt.sent_code.serial == 1


def test_within_a_minute_nobody_can_send_to_that_number_again() -> None:
    session = make_sent()
    with pytest.raises(limits.TooEarly):
        again(session)
    with pytest.raises(limits.TooEarly):
        make_session(session.account)
    session.refresh_from_db()
    assert session.state == "sent"


def test_after_a_refusal_there_is_nothing_to_wait_for(sandbox: Sandbox) -> None:
    account = make_account("haosms", sandbox)
    let_engine_send(make_session(account, recipient="13912999001"))
    make_session(account, recipient="13912999001")


def test_a_resend_over_another_account_goes_its_way(sandbox: Sandbox) -> None:
    session = make_sent()
    let_gap_pass()
    session = let_engine_send(again(session, make_account("haorui", sandbox)))

    assert session.state == "sent"
    try_code(session, code_of(sandbox, "haorui"))
    assert session.state == "verified"


def test_the_same_resend_twice_sends_once() -> None:
    session = make_sent()
    let_gap_pass()
    again(session, token="one")
    again(session, token="one")
    assert session.codes.count() == 2


def test_a_message_that_still_waits_is_stopped_by_its_successor() -> None:
    session = make_session()
    let_gap_pass()
    again(session)
    states = list(session.codes.values_list("message__state", flat=True))
    assert states == ["cancelled", "queued"]
    session.refresh_from_db()
    assert session.state == "pending"


@pytest.mark.parametrize("state", ["verified", "failed", "cancelled", "expired"])
def test_nothing_is_sent_again_after_the_end(state: str) -> None:
    session = make_sent(state=state)
    let_gap_pass()
    with pytest.raises(sessions.NotOpen):
        again(session)


def test_where_no_try_is_left_no_code_is_sent_that_nobody_could_check() -> None:
    session = make_sent(tries=5, state="check_unknown")
    let_gap_pass()
    with pytest.raises(sessions.NoTryLeft):
        again(session)
    assert session.codes.count() == 1


def test_another_way_keeps_the_template_and_takes_the_channel_that_was_chosen() -> None:
    session = make_sent()
    Message.objects.update(template="4")
    options = {"channels": ["one", "two"], "default_template": "1"}
    other = make_account("haosms", options=options)
    let_gap_pass()
    sent, _ = sessions.resend(session, other, by=make_user(), form_token="a", channel="two")
    message = sent.newest_code().message
    assert (message.channel, message.template) == ("two", "4")


def test_a_channel_that_leads_elsewhere_is_not_taken() -> None:
    session = make_sent()
    let_gap_pass()
    sent, _ = sessions.resend(
        session, session.account, by=make_user(), form_token="a", channel="nowhere"
    )
    assert sent.newest_code().message.channel == "验证码通道1"


@pytest.mark.parametrize(
    "follow", [message_sync.catch_up, lambda: message_sync.sync_sessions(all_messages())]
)
def test_what_is_put_back_after_the_end_is_not_sent(follow: Callable[[], None]) -> None:
    session = make_session()
    Message.objects.update(state="sending")
    sessions.cancel(session, make_user())
    Message.objects.update(state="queued")
    follow()
    assert Message.objects.get().state == "cancelled"


def test_cancelling_stops_the_message_and_kills_the_code() -> None:
    session = make_session()
    assert sessions.cancel(session, make_user())
    session.refresh_from_db()
    assert (session.state, session.newest_code().message.state) == ("cancelled", "cancelled")
    assert not sessions.cancel(session, make_user())


def test_what_is_over_is_written_down_as_expired() -> None:
    session = let_time_pass(make_sent())
    sessions.expire()
    session.refresh_from_db()
    assert (session.state, session.ended_at) == ("expired", session.expires_at)


# --- the route ------------------------------------------------------------------------


def test_after_a_refusal_the_other_account_takes_over_by_itself(sandbox: Sandbox) -> None:
    session = make_session(
        make_account("haosms", sandbox),
        fallback=make_account("haorui", sandbox),
        recipient="13912999001",
    )
    sandbox.change_settings("haorui", report_delay=None)
    let_engine_send(session)

    # HAORUI's practice refuses that number as well; what counts is that it was asked.
    assert [code.message.account.provider for code in session.codes.all()] == ["haosms", "haorui"]


def test_an_account_that_cannot_be_reached_is_taken_over_from(sandbox: Sandbox) -> None:
    session = make_session(make_account("haosms"), fallback=make_account("haorui", sandbox))
    Message.objects.update(tries=2)
    let_engine_send(session)

    assert session.state == "sent"
    assert session.account.provider == "haorui"
    try_code(session, code_of(sandbox, "haorui"))
    assert session.state == "verified"


@pytest.mark.parametrize("fault", ["reset_after", "html_502"])
def test_after_an_unknown_outcome_nobody_takes_over(sandbox: Sandbox, fault: str) -> None:
    sandbox.fault(fault, provider="haosms")
    session = make_session(
        make_account("haosms", sandbox), fallback=make_account("haorui", sandbox)
    )
    let_engine_send(session)
    assert (session.state, session.codes.count()) == ("send_unknown", 1)


def let_be_refused(session: Session) -> None:
    Message.objects.filter(sent_code__session=session).update(
        state="refused", reason="other_refusal"
    )


def test_of_two_who_hear_of_a_refusal_at_once_one_takes_over() -> None:
    session = make_session(fallback=make_account("haorui"))
    let_be_refused(session)
    refused = all_messages()
    at_once(lambda: message_sync.sync_sessions(refused), 4)
    assert session.codes.count() == 2


def test_nobody_takes_over_after_the_end() -> None:
    session = make_session(fallback=make_account("haorui"))
    let_be_refused(session)
    let_time_pass(session)
    message_sync.catch_up()
    session.refresh_from_db()
    assert (session.state, session.codes.count()) == ("expired", 1)


def test_what_is_told_late_makes_no_code_live_longer() -> None:
    session = make_session()
    Message.objects.update(state="submitted")
    ends = session.expires_at - timedelta(minutes=8)
    Session.objects.update(expires_at=ends)
    message_sync.catch_up()
    session.refresh_from_db()
    assert session.state == "sent"
    assert session.expires_at <= ends + timedelta(minutes=3)


@pytest.mark.parametrize("before", ["pending", "send_unknown"])
def test_a_message_that_nobody_told_of_is_caught_up_with(before: str) -> None:
    session = make_session(state=before)
    Message.objects.update(state="submitted")
    message_sync.catch_up()
    session.refresh_from_db()
    assert session.state == "sent"


def test_a_number_takes_no_more_codes_than_its_limit(settings: object) -> None:
    settings.CODES_PER_NUMBER = 1  # type: ignore[attr-defined]
    make_sent()
    let_gap_pass()
    with pytest.raises(LimitReached) as reached:
        make_session()
    assert reached.value.cap.scope == "number"
    assert Session.objects.count() == 1
    assert "24 hours" in limits.limit_reached_text(reached.value, make_account("haosms"))
    assert NUMBER[-4:] not in limits.limit_reached_text(reached.value, make_account("haosms"))


def test_a_prefix_takes_no_more_codes_than_its_limit(settings: object) -> None:
    settings.CODES_PER_PREFIX = 1  # type: ignore[attr-defined]
    make_sent(recipient="+8613812345601")
    with pytest.raises(LimitReached) as reached:
        make_session(recipient="+8613812345602")
    assert reached.value.cap.scope == "prefix"
    assert make_session(recipient="+8613987654321").state == "pending"


def test_an_account_takes_no_more_codes_than_its_limit() -> None:
    account = make_account("haosms", daily_limit=1)
    make_sent(account)
    with pytest.raises(LimitReached) as reached:
        make_session(account, recipient="+8613987654321")
    assert reached.value.cap.scope == "account"
    assert make_session(recipient="+8613987654321").state == "pending"
