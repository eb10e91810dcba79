"""Code sessions: sending over each provider, resending, cancelling and the fallback."""

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
from providers.limit_texts import limit_text
from sandbox.server import Sandbox
from tests.factories.accounts import make_account
from tests.factories.codes import (
    NUMBER,
    code_of,
    end_send_gap,
    expire_session,
    make_sent_session,
    make_session,
    run_sends,
    try_code,
)
from tests.factories.messages import CODE
from tests.factories.staff import make_user
from tests.support.clock_steps import note_step
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def all_messages() -> list[int]:
    return list(Message.objects.values_list("pk", flat=True))


def resend(session: Session, account: object = None, token: str = "again") -> Session:
    to = account or session.account
    sent, _ = sessions.resend(session, to, by=make_user(), form_token=token)  # type: ignore[arg-type]
    return sent


@pytest.mark.parametrize("provider", ["haosms", "haorui"])
def test_own_code_is_sent_and_verifies(sandbox: Sandbox, provider: str) -> None:
    session = run_sends(make_session(make_account(provider, sandbox), typed=""))

    assert session.state == "sent"
    try_code(session, code_of(sandbox, provider))
    assert session.state == "verified"


def test_free_text_carries_the_code_but_is_stored_without_it(sandbox: Sandbox) -> None:
    session = run_sends(make_session(make_account("haorui", sandbox)))

    (entry,) = sandbox.book.entries()
    assert CODE in str(entry.fields["textmessage"])
    message = session.newest_code().message
    assert CODE not in message.text
    assert "••••••" in message.text
    assert (message.encoding, message.segments) == ("gsm7", 1)


def test_validity_restarts_when_the_provider_accepts_the_message(sandbox: Sandbox) -> None:
    session = make_session(make_account("haosms", sandbox))
    Session.objects.update(expires_at=F("expires_at") - timedelta(minutes=3))
    before = Session.objects.get().expires_at

    assert run_sends(session).expires_at > before + timedelta(minutes=2)


def test_refusal_fails_the_session_with_its_reason(sandbox: Sandbox) -> None:
    session = run_sends(make_session(make_account("haosms", sandbox), recipient="13912999001"))
    assert (session.state, session.reason) == ("failed", "other_refusal")


def test_lost_answer_makes_the_send_unknown(sandbox: Sandbox) -> None:
    sandbox.fault("reset_after", provider="haosms")
    session = run_sends(make_session(make_account("haosms", sandbox)))
    assert session.state == "send_unknown"
    assert not session.newest_code().message.code, "the code is no longer needed"


def test_code_that_waited_over_two_minutes_is_not_sent() -> None:
    session = make_session()
    Message.objects.update(queued_at=F("queued_at") - timedelta(minutes=3))
    for source in sources():
        source.sweep()
    session.refresh_from_db()
    assert (session.state, session.newest_code().message.state) == ("failed", "not_sent")


def test_submitting_the_same_form_twice_starts_one_session() -> None:
    account, by = make_account("haosms"), make_user()
    first = make_session(account, by=by, form_token="same")
    second = make_session(account, by=by, form_token="same")
    assert first.pk == second.pk
    assert SentCode.objects.count() == 1


def test_new_session_cancels_the_open_one_of_its_number() -> None:
    first = make_sent_session()
    end_send_gap()
    make_session(first.account)
    first.refresh_from_db()
    assert (first.state, first.reason) == ("cancelled", "replaced")


# --- resending ------------------------------------------------------------------------


def test_resend_makes_a_new_code_and_the_old_one_is_recognised() -> None:
    session = make_sent_session()
    end_send_gap()
    resend(session)

    attempt = try_code(session, CODE)
    assert (attempt.state, session.state) == ("earlier", "pending")
    assert attempt.sent_code.serial == 1


def test_second_code_within_a_minute_is_rejected() -> None:
    session = make_sent_session()
    with pytest.raises(limits.TooEarly):
        resend(session)
    with pytest.raises(limits.TooEarly):
        make_session(session.account)
    session.refresh_from_db()
    assert session.state == "sent"


def test_refusal_clears_the_gap(sandbox: Sandbox) -> None:
    account = make_account("haosms", sandbox)
    run_sends(make_session(account, recipient="13912999001"))
    make_session(account, recipient="13912999001")


def test_resend_over_another_account_uses_its_route(sandbox: Sandbox) -> None:
    session = make_sent_session()
    end_send_gap()
    session = run_sends(resend(session, make_account("haorui", sandbox)))

    assert session.state == "sent"
    try_code(session, code_of(sandbox, "haorui"))
    assert session.state == "verified"


def test_submitting_the_same_resend_twice_sends_once() -> None:
    session = make_sent_session()
    end_send_gap()
    resend(session, token="one")
    resend(session, token="one")
    assert session.codes.count() == 2


def test_resend_cancels_the_waiting_message() -> None:
    session = make_session()
    end_send_gap()
    resend(session)
    states = list(session.codes.values_list("message__state", flat=True))
    assert states == ["cancelled", "queued"]
    session.refresh_from_db()
    assert session.state == "pending"


@pytest.mark.parametrize("state", ["verified", "failed", "cancelled", "expired"])
def test_resend_after_the_end_is_rejected(state: str) -> None:
    session = make_sent_session(state=state)
    end_send_gap()
    with pytest.raises(sessions.NotOpen):
        resend(session)


def test_ended_session_is_not_resent_although_the_clock_was_just_set() -> None:
    session = expire_session(make_sent_session())
    end_send_gap()
    note_step()
    with pytest.raises(sessions.NotOpen):
        resend(session)
    session.refresh_from_db()
    assert session.state == "sent"


def test_resend_without_a_try_left_is_rejected() -> None:
    session = make_sent_session(tries=5, state="check_unknown")
    end_send_gap()
    with pytest.raises(sessions.NoTryLeft):
        resend(session)
    assert session.codes.count() == 1


def test_resend_over_another_account_keeps_the_template_and_uses_the_chosen_channel() -> None:
    session = make_sent_session()
    Message.objects.update(template="4")
    options = {"channels": ["one", "two"], "default_template": "1"}
    other = make_account("haosms", options=options)
    end_send_gap()
    sent, _ = sessions.resend(session, other, by=make_user(), form_token="a", channel="two")
    message = sent.newest_code().message
    assert (message.channel, message.template) == ("two", "4")


def test_channel_that_does_not_serve_the_country_is_ignored() -> None:
    session = make_sent_session()
    end_send_gap()
    sent, _ = sessions.resend(
        session, session.account, by=make_user(), form_token="a", channel="nowhere"
    )
    assert sent.newest_code().message.channel == "验证码通道1"


@pytest.mark.parametrize(
    "sync", [message_sync.catch_up, lambda: message_sync.sync_sessions(all_messages())]
)
def test_message_requeued_after_the_end_is_cancelled(sync: Callable[[], None]) -> None:
    session = make_session()
    Message.objects.update(state="sending")
    sessions.cancel(session, make_user())
    Message.objects.update(state="queued")
    sync()
    assert Message.objects.get().state == "cancelled"


def test_cancelling_cancels_the_waiting_message_and_the_session() -> None:
    session = make_session()
    assert sessions.cancel(session, make_user())
    session.refresh_from_db()
    assert (session.state, session.newest_code().message.state) == ("cancelled", "cancelled")
    assert not sessions.cancel(session, make_user())


def test_due_session_expires_at_its_end_time() -> None:
    session = expire_session(make_sent_session())
    sessions.expire()
    session.refresh_from_db()
    assert (session.state, session.ended_at) == ("expired", session.expires_at)


# --- the fallback ---------------------------------------------------------------------


def test_fallback_sends_after_a_refusal(sandbox: Sandbox) -> None:
    session = make_session(
        make_account("haosms", sandbox),
        fallback=make_account("haorui", sandbox),
        recipient="13912999001",
    )
    sandbox.change_settings("haorui", report_delay=None)
    run_sends(session)

    # The sandbox's HAORUI refuses this number, too; what counts is that it was called.
    assert [code.message.account.provider for code in session.codes.all()] == ["haosms", "haorui"]


def test_fallback_sends_if_the_account_cannot_be_reached(sandbox: Sandbox) -> None:
    session = make_session(make_account("haosms"), fallback=make_account("haorui", sandbox))
    Message.objects.update(tries=2)
    run_sends(session)

    assert session.state == "sent"
    assert session.account.provider == "haorui"
    try_code(session, code_of(sandbox, "haorui"))
    assert session.state == "verified"


@pytest.mark.parametrize("fault", ["reset_after", "html_502"])
def test_fallback_does_not_send_after_an_unknown_outcome(sandbox: Sandbox, fault: str) -> None:
    sandbox.fault(fault, provider="haosms")
    session = make_session(
        make_account("haosms", sandbox), fallback=make_account("haorui", sandbox)
    )
    run_sends(session)
    assert (session.state, session.codes.count()) == ("send_unknown", 1)


def mark_refused(session: Session) -> None:
    Message.objects.filter(sent_code__session=session).update(
        state="refused", reason="other_refusal"
    )


def test_concurrent_syncs_of_a_refusal_send_one_fallback_code() -> None:
    session = make_session(fallback=make_account("haorui"))
    mark_refused(session)
    refused = all_messages()
    at_once(lambda: message_sync.sync_sessions(refused), 4)
    assert session.codes.count() == 2


def test_fallback_does_not_send_after_the_end() -> None:
    session = make_session(fallback=make_account("haorui"))
    mark_refused(session)
    expire_session(session)
    message_sync.catch_up()
    session.refresh_from_db()
    assert (session.state, session.codes.count()) == ("expired", 1)


def test_fallback_does_not_send_after_the_end_although_the_clock_was_just_set() -> None:
    session = make_session(fallback=make_account("haorui"))
    mark_refused(session)
    expire_session(session)
    note_step()
    message_sync.catch_up()
    assert session.codes.count() == 1


def test_late_sync_does_not_extend_the_validity() -> None:
    session = make_session()
    Message.objects.update(state="submitted")
    ends = session.expires_at - timedelta(minutes=8)
    Session.objects.update(expires_at=ends)
    message_sync.catch_up()
    session.refresh_from_db()
    assert session.state == "sent"
    assert session.expires_at <= ends + timedelta(minutes=3)


@pytest.mark.parametrize("before", ["pending", "send_unknown"])
def test_catch_up_syncs_missed_messages(before: str) -> None:
    session = make_session(state=before)
    Message.objects.update(state="submitted")
    message_sync.catch_up()
    session.refresh_from_db()
    assert session.state == "sent"


def test_codes_to_a_number_stop_at_its_limit(settings: object) -> None:
    settings.CODES_PER_NUMBER = 1  # type: ignore[attr-defined]
    make_sent_session()
    end_send_gap()
    with pytest.raises(LimitReached) as reached:
        make_session()
    assert reached.value.cap.scope == "number"
    assert Session.objects.count() == 1
    assert "24 hours" in limit_text(reached.value)
    assert NUMBER[-4:] not in limit_text(reached.value)


def test_codes_to_a_prefix_stop_at_its_limit(settings: object) -> None:
    settings.CODES_PER_PREFIX = 1  # type: ignore[attr-defined]
    make_sent_session(recipient="+8613812345601")
    with pytest.raises(LimitReached) as reached:
        make_session(recipient="+8613812345602")
    assert reached.value.cap.scope == "prefix"
    assert make_session(recipient="+8613987654321").state == "pending"


def test_codes_over_an_account_stop_at_its_limit() -> None:
    account = make_account("haosms", daily_limit=1)
    make_sent_session(account)
    with pytest.raises(LimitReached) as reached:
        make_session(account, recipient="+8613987654321")
    assert reached.value.cap.scope == "account"
    assert make_session(recipient="+8613987654321").state == "pending"
