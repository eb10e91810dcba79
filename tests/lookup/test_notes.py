"""Notes about messages, codes, orders and batches: who reads, writes and finishes them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import strip_tags

from audit.addresses import facts_of
from core.models import Act
from core.phones.tokens import token_of
from lookup import notes
from lookup.models import Note
from messaging.models import Message
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch
from tests.factories.codes import make_session
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
NUMBER = "+8613912345678"
TEXT = "Calls back <b>at 15:00</b>"
SHOWN = "Calls back &lt;b&gt;at 15:00&lt;/b&gt;"
KINDS = {
    "message": ("messaging.view_message", "/messaging/message/"),
    "session": ("otp.view_session", "/otp/session/"),
    "order": ("rentals.view_order", "/rentals/order/"),
    "batch": ("messaging.view_batch", "/messaging/batch/"),
}


def make_object(kind: str) -> Any:
    if kind == "message":
        return make_message(recipient=NUMBER)
    if kind == "session":
        return make_session(recipient=NUMBER)
    if kind == "order":
        return make_rented(phone=NUMBER)
    return make_batch("13912345670", make_account())


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def write(client: Client, kind: str, obj: Any, **values: object) -> int:
    url = f"/notes/{kind}/{obj.public_id}/add/"
    status: int = client.post(url, {"text": TEXT, **values}).status_code
    return status


def page(client: Client, kind: str, obj: Any) -> str:
    answer = client.get(f"{KINDS[kind][1]}{obj.public_id}/change/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_may_see_an_object_writes_and_reads_its_notes(kind: str) -> None:
    obj = make_object(kind)
    writer, reader = make_user(KINDS[kind][0]), make_user(KINDS[kind][0])

    assert write(signed_in(writer), kind, obj) == 302

    shown = page(signed_in(reader), kind, obj)
    assert SHOWN in shown
    assert TEXT not in shown
    note = Note.objects.get()
    assert (note.by, note.object_id) == (writer, obj.pk)
    act = Act.objects.get(what="note.add")
    assert (act.by, act.subject, facts_of(act)) == (writer, f"note:{note.pk}", {"to": None})


@pytest.mark.parametrize("kind", KINDS)
def test_others_do_nothing_with_them(kind: str) -> None:
    obj = make_object(kind)
    others = [permission for name, (permission, _) in KINDS.items() if name != kind]
    client, writer = signed_in(make_user(*others)), make_user(KINDS[kind][0])
    write(signed_in(writer), kind, obj, to=writer.pk)
    note = Note.objects.get()

    assert write(client, kind, obj) == 403
    assert client.post(f"/notes/{note.pk}/done/").status_code == 403
    assert client.post(f"/notes/{note.pk}/remove/").status_code == 403
    assert Note.objects.filter(done_at=None, removed_at=None).count() == 1


def test_unknown_kinds_objects_and_notes_are_not_found() -> None:
    client = signed_in(make_staff("manager"))

    assert client.post("/notes/account/x/add/", {"text": "x"}).status_code == 404
    assert client.post("/notes/message/none/add/", {"text": "x"}).status_code == 404
    assert client.post("/notes/number/none/add/", {"text": "x"}).status_code == 404
    assert client.post("/notes/4711/done/").status_code == 404


def test_long_note_is_refused_beside_the_field_and_kept_as_typed() -> None:
    message, person = make_message(), make_staff("operator")
    client, text = signed_in(person), "Called " * 80 + "back"
    url = f"/notes/message/{message.public_id}/add/"

    shown = client.post(url, {"text": text, "to": person.pk}).content.decode()

    assert not Note.objects.exists()
    assert "This may have at most 500 characters; it has 564. Shorten it." in shown
    assert f'value="{text}" aria-invalid="true" aria-describedby="note-problem"' in shown
    assert f'<option value="{person.pk}" selected>' in shown
    assert f'action="{url}"' in shown
    write(client, "message", message, text="x" * 500)
    assert [len(one.text) for one in Note.objects.all()] == [500]


def test_empty_note_is_refused_in_words() -> None:
    message, client = make_message(), signed_in(make_staff("operator"))
    answer = client.post(f"/notes/message/{message.public_id}/add/", {"text": "  "}, follow=True)
    assert "Not saved: the note has no text." in answer.content.decode()


def test_page_shows_the_newest_fifty() -> None:
    message, person = make_message(), make_staff("operator")
    subject = notes_subject(message)
    for number in range(52):
        notes.add(subject, f"note {number:02}.", by=person)

    shown = page(signed_in(person), "message", message)

    assert "note 51." in shown
    assert "note 02." in shown
    assert "note 01." not in shown
    assert "newest 50 notes" in shown


def notes_subject(message: Message) -> Any:
    from lookup.note_kinds import subject_of

    return subject_of(message)


def test_assigned_note_waits_for_both_until_done() -> None:
    writer, colleague = make_staff("operator"), make_staff("operator")
    message = make_message(recipient=NUMBER)

    write(signed_in(writer), "message", message, to=colleague.pk)

    assert "1 note for you" in dashboard(colleague)
    assert "1 note that you assigned is not done" in dashboard(writer)
    assert "note for you" not in dashboard(make_staff("operator"))
    note = Note.objects.get()
    assert "is-task" in page(signed_in(writer), "message", message)

    signed_in(colleague).post(f"/notes/{note.pk}/done/")

    note.refresh_from_db()
    assert note.done_by == colleague
    assert Act.objects.filter(what="note.done", by=colleague).count() == 1
    assert "1 note" not in dashboard(colleague) + dashboard(writer)
    shown = page(signed_in(writer), "message", message)
    assert "is-task" not in shown
    assert f"done by {colleague.username}" in strip_tags(shown)


def dashboard(person: User) -> str:
    return signed_in(person).get("/").content.decode()


def test_note_is_done_once_and_notes_for_information_never() -> None:
    writer, colleague = make_staff("operator"), make_staff("operator")
    subject = notes_subject(make_message())
    task = notes.add(subject, "call", by=writer, to=colleague)
    hint = notes.add(subject, "hint", by=writer)
    assert task
    assert hint

    assert notes.finish(task, colleague)
    assert not notes.finish(task, writer)
    assert not notes.finish(hint, writer)

    task.refresh_from_db()
    assert task.done_by == colleague


def test_notes_are_assigned_only_to_people_who_may_see_the_object() -> None:
    message, client = make_message(), signed_in(make_staff("operator"))
    stranger = make_user("rentals.view_order")
    gone = make_staff("operator")
    gone.is_active = False
    gone.save()

    for to in (stranger.pk, gone.pk, "x", "9" * 40, "0"):
        write(client, "message", message, to=to)

    assert not Note.objects.exists()
    shown = page(client, "message", message)
    assert f'value="{stranger.pk}"' not in shown.partition("note-to")[2]


def test_task_is_hidden_from_whom_the_permission_was_taken() -> None:
    person = make_user("messaging.view_message")
    notes.add(notes_subject(make_message()), "call", by=make_staff("operator"), to=person)
    assert "1 note for you" in dashboard(person)

    person.user_permissions.clear()

    assert "note for you" not in dashboard(person)


def test_note_is_removed_by_its_writer_or_who_may_reveal() -> None:
    writer, message = make_staff("operator"), make_message()
    subject = notes_subject(message)
    first, second = (notes.add(subject, text, by=writer) for text in ("first", "second"))
    assert first
    assert second

    assert signed_in(make_staff("operator")).post(f"/notes/{first.pk}/remove/").status_code == 403
    assert signed_in(writer).post(f"/notes/{first.pk}/remove/").status_code == 302
    assert signed_in(make_staff("manager")).post(f"/notes/{second.pk}/remove/").status_code == 302
    assert signed_in(writer).post(f"/notes/{second.pk}/done/").status_code == 404
    assert "first" not in page(signed_in(writer), "message", message)


@pytest.mark.parametrize("kind", ["message", "session", "order"])
def test_number_page_has_the_notes_about_its_objects(kind: str) -> None:
    obj = make_object(kind)
    write(signed_in(make_staff("operator")), kind, obj)
    url = f"/number/{token_of(NUMBER)}/"

    shown = signed_in(make_staff("viewer")).get(url).content.decode()
    assert SHOWN in shown
    others = [permission for name, (permission, _) in KINDS.items() if name != kind]
    assert SHOWN not in signed_in(make_user(*others)).get(url).content.decode()


def test_note_goes_with_its_object() -> None:
    kept, gone = make_message(), make_message()
    for message in (kept, gone):
        notes.add(notes_subject(message), "x", by=make_staff("operator"))
    Note.objects.create(number=NUMBER, text="of the number", by=make_staff("operator"))
    gone_pk = gone.pk
    Message.objects.filter(pk=gone_pk).delete()

    assert notes.prune() == 1

    assert not Note.objects.filter(object_id=gone_pk).exists()
    assert Note.objects.count() == 2


def test_queries_of_the_page_do_not_grow_with_notes(django_assert_num_queries: Any) -> None:
    person, message = make_staff("operator"), make_message()
    client, subject = signed_in(person), notes_subject(message)
    notes.add(subject, "x", by=person, to=person)
    page(client, "message", message)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as before:
        page(client, "message", message)
    for _number in range(10):
        notes.add(subject, "x", by=make_staff("operator"), to=make_staff("operator"))

    with django_assert_num_queries(len(before)):
        page(client, "message", message)
