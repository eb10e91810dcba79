"""Codes and checks on hold: what is sent, what ends, and what the session says."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging.models import Message
from otp import message_sync, sessions, tasks
from otp.models import Attempt, Session
from otp.presentation.labels import shown_state, where_shown
from otp.states import AttemptState
from providers.models import Hold
from tests.factories.accounts import make_account
from tests.factories.codes import (
    CODE,
    end_send_gap,
    expire_session,
    make_sent_session,
    make_session,
    try_code,
)
from tests.factories.staff import make_user
from tests.support.clock_steps import note_step
from tests.support.holds import begin_hold, claim_all, holdable

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    return make_session()


@pytest.fixture
def hold(session: Session) -> Hold:
    return begin_hold()


def sms(session: Session) -> Message:
    return session.newest_code().message


def release(session: Session) -> int:
    key = f"codes:{session.account_id}"
    return holdable("codes").release(Hold.objects.get(), key, None, None)


def reload(session: Session) -> Session:
    session.refresh_from_db()
    return session


def test_code_waits_and_the_session_shows_it(session: Session, hold: Hold) -> None:
    assert (sms(session).state, sms(session).hold) == ("held", hold)
    assert claim_all() == []
    assert shown_state(session) == "on_hold"
    assert list(Session.objects.filter(where_shown("on_hold"))) == [session]
    assert not Session.objects.filter(where_shown("pending")).exists()
    message_sync.catch_up()
    assert reload(session).state == "pending"


def test_page_of_the_session_shows_it(client: Client, session: Session, hold: Hold) -> None:
    client.force_login(make_user("otp.view_session", "otp.check_code", "otp.send_code"))
    page = client.get(reverse("admin:otp_session_change", args=[session.public_id]))
    text = page.content.decode()
    assert "The SMS is on hold: it is not known whether it was sent before." in text
    assert "The SMS was put on hold" in text
    assert "Sending" not in text
    assert 'name="code"' in text, "the customer may have the code"


def test_code_that_can_still_be_used_is_released(session: Session, hold: Hold) -> None:
    (group,) = holdable("codes").groups(hold)
    assert (group.undecided, group.may_send, group.icon) == (1, True, "pin")
    assert release(session) == 1
    assert [job.row_id for job in claim_all()] == [sms(session).pk]


@pytest.mark.parametrize("end", ["expired", "replaced", "cancelled"])
def test_code_that_is_no_longer_usable_is_never_sent(
    session: Session, hold: Hold, end: str
) -> None:
    if end == "expired":
        expire_session(session)
    elif end == "cancelled":
        assert sessions.cancel(session, make_user())
    else:
        Session.objects.filter(pk=session.pk).update(state="cancelled")
    assert release(session) == 0
    tasks.expire()
    assert sms(session).state == "unknown"
    assert sms(session).code in ("", None)
    assert release(session) == 0
    (group,) = holdable("codes").groups(hold)
    assert group.undecided == 0
    assert "Ended as unknown: 1. Send new codes if customers ask." in group.facts
    assert claim_all() == []


def test_only_expired_codes_are_not_offered_for_sending(session: Session, hold: Hold) -> None:
    expire_session(session)
    (group,) = holdable("codes").groups(hold)
    assert (group.undecided, group.may_send) == (1, False)
    assert holdable("codes").settle_known(hold) == 1
    assert holdable("codes").count_undecided(hold) == 0


def test_code_on_hold_does_not_end_by_a_clock_that_was_just_set(
    session: Session, hold: Hold
) -> None:
    expire_session(session)
    note_step()
    assert holdable("codes").settle_known(hold) == 0
    assert sms(session).state == "held"


def test_discarded_code_leaves_the_session_unknown(session: Session, hold: Hold) -> None:
    key = f"codes:{session.account_id}"
    assert holdable("codes").discard(hold, key, None, None, "Sent") == 1
    assert (sms(session).state, reload(session).state) == ("unknown", "send_unknown")
    assert sms(session).code in ("", None)


def test_right_code_shows_that_it_was_sent(session: Session, hold: Hold) -> None:
    assert try_code(session, CODE).state == "right"
    assert (sms(session).state, reload(session).state) == ("submitted", "verified")
    assert holdable("codes").count_undecided(hold) == 0
    assert claim_all() == []


def test_new_code_is_sent_and_the_one_on_hold_is_not(session: Session, hold: Hold) -> None:
    earlier = sms(session)
    end_send_gap(session.recipient)
    again, created = sessions.resend(session, session.account, by=make_user(), form_token="another")
    assert created
    earlier.refresh_from_db()
    assert earlier.state == "unknown"
    assert [job.row_id for job in claim_all()] == [sms(again).pk]


def test_new_session_for_the_number_is_sent_and_the_code_on_hold_is_not(
    session: Session, hold: Hold
) -> None:
    end_send_gap(session.recipient)
    newer = make_session(session.account)
    assert sms(session).state == "unknown"
    assert [job.row_id for job in claim_all()] == [sms(newer).pk]


def test_fallback_account_sends_nothing_for_a_session_from_before() -> None:
    fallback = make_account("haorui")
    session = make_session(fallback=fallback)
    Message.objects.filter(pk=sms(session).pk).update(state="refused", reason="refused")
    begin_hold()
    message_sync.catch_up()
    assert not Message.objects.filter(account=fallback).exists()
    assert reload(session).state == "failed"


# --- checks ----------------------------------------------------------------------------


@pytest.mark.parametrize("state", AttemptState)
def test_checks_that_wait_end_unknown_at_once(state: AttemptState) -> None:
    session = make_sent_session(make_account("otpservice"))
    claim = {"claim": uuid4(), "claimed_at": timezone.now()} if state == "claimed" else {}
    attempt = Attempt.objects.create(
        session=session,
        sent_code=session.newest_code(),
        account=session.account,
        state=state,
        code="482913",
        **claim,
    )
    hold = begin_hold()
    attempt.refresh_from_db()
    if state in ("queued", "claimed"):
        assert (attempt.state, attempt.reason, attempt.claim) == ("unknown", "from_before", None)
        assert attempt.code in ("", None)
        assert reload(session).state == "check_unknown"
        (group,) = holdable("checks").groups(hold)
        assert (group.undecided, group.may_send) == (0, False)
    else:
        assert attempt.state == state
        assert holdable("checks").groups(hold) == []
    assert claim_all() == []
