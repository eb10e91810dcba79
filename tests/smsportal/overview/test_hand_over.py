"""The hand-over page: what each reader finds at the change of shift."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from lookup import notes
from lookup.models import Note
from lookup.note_kinds import subject_of
from messaging.models import Message
from messaging.states import MessageState
from providers import clock
from rentals.models import Order
from smsportal.overview.hand_over import MOST
from tests.factories.accounts import make_account
from tests.factories.codes import make_sent_session
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
NUMBER = "+8613912345678"


def page(person: User) -> str:
    client = Client()
    client.force_login(person)
    answer = client.get("/hand-over/")
    assert answer.status_code == 200
    return answer.content.decode()


def words(person: User) -> str:
    return " ".join(strip_tags(page(person)).split())


def make_work(by: User) -> tuple[Message, Order, str]:
    session = make_sent_session(make_account("haosms"), recipient="13912345679", by=by)
    order = make_rented(phone="+6281234567890", by=by)
    Order.objects.filter(pk=order.pk).update(expires_at=clock.now() + timedelta(minutes=1))
    message = make_message(recipient=NUMBER, by=by)
    Message.objects.filter(pk=message.pk).update(state=MessageState.UNKNOWN)
    return message, order, session.public_id


def test_page_links_what_is_open_with_its_person_and_time() -> None:
    person = make_staff("operator")
    message, order, session_id = make_work(person)

    shown = page(make_staff("operator"))

    for address in (
        f"/messaging/message/{message.public_id}/change/",
        f"/rentals/order/{order.public_id}/change/",
        f"/otp/session/{session_id}/change/",
    ):
        assert address in shown
    assert shown.count(person.username) >= 3
    assert "1:00 left" in strip_tags(shown) or "0:5" in strip_tags(shown)
    # Another person's number stays hidden.
    assert "12345678" not in shown.replace(" ", "")


@pytest.mark.parametrize(
    ("permission", "seen", "unseen"),
    [
        ("messaging.view_message", "Messages with unknown outcome", ("Open codes", "Open orders,")),
        ("otp.view_session", "Open codes", ("Messages with unknown", "Open orders,")),
        ("rentals.view_order", "Open orders,", ("Open codes", "Messages with unknown")),
    ],
)
def test_each_part_needs_its_permission(
    permission: str, seen: str, unseen: tuple[str, ...]
) -> None:
    make_work(make_staff("operator"))

    shown = words(make_user(permission))

    assert seen in shown
    assert not any(word in shown for word in unseen)


def test_notes_stand_with_their_reader_and_their_writer_until_done() -> None:
    writer, colleague = make_staff("operator"), make_staff("operator")
    subject = subject_of(make_message(recipient=NUMBER, by=writer))
    assert subject
    note = notes.add(subject, "Call back at 15:00", by=writer, to=colleague)
    assert note

    assert "Call back at 15:00" in words(writer)
    assert "Call back at 15:00" in words(colleague)
    assert "Call back at 15:00" not in words(make_staff("manager"))
    # Its writer typed the number, the colleague did not.
    assert "1234 5678" in words(writer)
    assert "1234 5678" not in words(colleague)

    client = Client()
    client.force_login(colleague)
    answer = client.post(f"/notes/{note.pk}/done/", {"from": "hand_over"})

    assert answer["Location"] == "/hand-over/#notes"
    assert "Call back at 15:00" not in words(writer) + words(colleague)
    assert Note.objects.get().done_by == colleague


def test_parts_are_bounded_and_say_so() -> None:
    person = make_staff("operator")
    for _number in range(MOST + 3):
        message = make_message(by=person)
        Message.objects.filter(pk=message.pk).update(state=MessageState.UNKNOWN)

    shown = page(person)

    assert len(re.findall(r'href="/messaging/message/[^"/]+/change/"', shown)) == MOST
    assert f"{MOST}+" in shown


def test_queries_do_not_grow_with_rows() -> None:
    person = make_staff("manager")
    make_work(person)
    page(person)
    with CaptureQueriesContext(connection) as before:
        page(person)
    for _number in range(3):
        message = make_message(by=person)
        Message.objects.filter(pk=message.pk).update(state=MessageState.UNKNOWN)
        make_rented(by=person)
        subject = subject_of(message)
        assert subject
        notes.add(subject, "x", by=person, to=person)
    with CaptureQueriesContext(connection) as after:
        page(person)

    # Notes ask for the objects that they are about, once for each kind.
    assert len(after) <= len(before) + 1
