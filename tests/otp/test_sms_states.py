"""The state of the newest message on a session, and the filter that asks for it."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from messaging import listeners, queue_message
from messaging.models import Message
from messaging.presentation.labels import LABELS, shown_state
from messaging.states import MessageState
from otp import sms_states, tasks
from otp.models import SentCode, Session
from otp.presentation.sms_states import sms_parts
from tests.factories.accounts import make_account
from tests.factories.codes import make_sent_session, make_session
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db


def message_of(session: Session) -> Message:
    return session.newest_code().message


def move(session: Session, **changes: object) -> None:
    """Change the newest message, and tell its listeners as every move does."""
    rows = Message.objects.filter(pk=message_of(session).pk)
    rows.update(**changes)
    listeners.notify(listeners.owners_of(rows))
    session.refresh_from_db()


def test_a_result_is_noted_with_the_message() -> None:
    session = make_session()
    assert session.sms_state == sms_states.UNDER_WAY
    at = timezone.now()
    move(session, state="submitted", answered_at=at)
    assert (session.sms_state, session.sms_since) == ("submitted", at)
    move(session, state="delivered", reported_at=at)
    assert session.sms_state == "delivered"


def test_a_cancelled_message_is_noted() -> None:
    session = make_session()
    queue_message.cancel(message_of(session), make_user())
    session.refresh_from_db()
    assert session.sms_state == "cancelled"


def test_the_newest_message_counts() -> None:
    session = make_sent_session()
    earlier = message_of(session)
    later = make_session(recipient="+8613912345679")
    SentCode.objects.filter(session=later).update(session=session, serial=2)
    move(session, state="refused")
    Message.objects.filter(pk=earlier.pk).update(state="delivered")
    listeners.notify([(earlier.pk, earlier.belongs_to)])
    session.refresh_from_db()
    assert session.sms_state == "refused"


def test_rows_of_earlier_versions_are_noted_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [make_sent_session(recipient=f"+861391234567{number}") for number in range(5)]
    Session.objects.update(sms_state=None)
    monkeypatch.setattr(sms_states, "SLICE", 2)
    tasks.expire()
    noted = Session.objects.filter(sms_state="submitted").exclude(sms_since=None)
    assert noted.count() == len(made)


def test_one_run_takes_no_more_than_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        make_sent_session(recipient=f"+861391234567{number}")
    Session.objects.update(sms_state=None)
    monkeypatch.setattr(sms_states, "SLICE", 1)
    monkeypatch.setattr(sms_states, "LONGEST", 0.0)
    sms_states.note_missing()
    assert Session.objects.filter(sms_state=None).count() == 2


def test_a_note_that_failed_is_made_up_for() -> None:
    session = make_sent_session(created_at=timezone.now() - timedelta(hours=2))
    Session.objects.update(sms_state=sms_states.UNDER_WAY)
    sms_states.note_missing()
    session.refresh_from_db()
    assert session.sms_state == "submitted"


def test_the_filter_finds_what_the_list_shows() -> None:
    """Whatever is noted already: nothing on rows of earlier versions, the rest by listeners."""
    rng = random.Random(20)
    accounts = [make_account(kind) for kind in ("haosms", "haorui", "otpservice")]
    now = timezone.now()
    for number in range(60):
        session = make_session(rng.choice(accounts), recipient=f"+86139123456{number:02}")
        answered = rng.choice([None, now, now - timedelta(days=9)])
        move(
            session,
            state=rng.choice(list(MessageState)),
            answered_at=answered,
            handed_over_at=answered or rng.choice([None, now - timedelta(days=9)]),
            settled_at=rng.choice([None, now]),
            reported_at=rng.choice([None, now]),
        )
        if rng.random() < 0.3:
            Session.objects.filter(pk=session.pk).update(sms_state=None, sms_since=None)
    for _noted in range(2):
        labels = {session.pk: label_of(session) for session in Session.objects.all()}
        for shown in LABELS.keys() - {"claimed"}:
            expected = {pk for pk, label in labels.items() if label == shown}
            parts = [set(found_by(part)) for part in sms_parts(shown)]
            assert set().union(*parts) == expected, shown
            assert sum(map(len, parts)) == len(expected), shown
        sms_states.note_missing()
    assert not Session.objects.filter(sms_state=None).exists()


def label_of(session: Session) -> str:
    label = shown_state(message_of(session))
    return "queued" if label == "claimed" else label


def found_by(part: Q) -> list[int]:
    return list(Session.objects.filter(part).values_list("pk", flat=True))


def test_the_list_is_filtered_by_it(client: Client) -> None:
    client.force_login(make_staff("manager"))
    delivered, refused = make_sent_session(), make_sent_session(recipient="+8613912345679")
    move(delivered, state="delivered")
    move(refused, state="refused")
    shown = client.get("/otp/session/", {"sms": "delivered"}).content.decode()
    assert delivered.public_id in shown
    assert refused.public_id not in shown
