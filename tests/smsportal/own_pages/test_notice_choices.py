"""People choose which notices come. Those about their security always come."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from core import notices
from core.models import Notice
from core.stored_texts import from_staff
from lookup import notes
from lookup.note_kinds import subject_of
from messaging.batches.notices import tell_finished, tell_paused
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, start_batch
from tests.factories.messages import make_message
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db
URL = "/my-settings/"


@pytest.fixture
def me(client: Client) -> User:
    user = make_staff("operator")
    client.force_login(user)
    return user


@pytest.fixture
def security_kind() -> Iterator[str]:
    kind = notices.NoticeKind("new_device", "Somebody signs in <as me>", is_security=True)
    notices.register_kind(kind)
    yield kind.key
    del notices._kinds[kind.key]


def choose(client: Client, *kinds: str) -> None:
    form = {"first_name": "A", "last_name": "B", "language": "en", "notices": kinds}
    assert client.post(URL, form).status_code == 302


def told(user: User) -> set[str]:
    return {one.event.split(":", 2)[2] for one in Notice.objects.filter(user=user)}


def test_switched_off_kind_does_not_come(client: Client, me: User) -> None:
    batch = start_batch(make_batch("13912345678", make_account(), by=me))
    choose(client, "batch_stopped")
    tell_finished(batch)
    tell_paused(batch)
    assert told(me) == {f"paused-{batch.paused_at or ''}"}
    choose(client, "batch_stopped", "batch_ended")
    tell_finished(batch)
    assert "finished" in told(me)


def test_choice_is_shown_and_everything_comes_by_default(client: Client, me: User) -> None:
    page = client.get(URL).content.decode()
    assert page.count('name="notices"') == len(notices.switchable_kinds()) >= 3
    assert page.count("checked>") >= 3
    choose(client, "note_assigned")
    page = client.get(URL).content.decode()
    assert 'value="note_assigned" checked' in page
    assert 'value="batch_ended" checked' not in page


def test_security_notices_cannot_be_switched_off(
    client: Client, me: User, security_kind: str
) -> None:
    page = client.get(URL).content.decode()
    assert "Somebody signs in &lt;as me&gt;" in page
    assert f'value="{security_kind}"' not in page
    choose(client)
    notices.notify(me.pk, "device:1:new", from_staff("x"), "/", kind=security_kind)
    notices.notify(me.pk, "other:1:unnamed", from_staff("x"), "/")
    assert told(me) == {"new", "unnamed"}


def test_note_tells_the_colleague_to_whom_it_is_assigned(client: Client, me: User) -> None:
    message = make_message(make_account())
    subject = subject_of(message)
    assert subject
    colleague = make_staff("manager")
    notes.add(subject, "Call back", by=colleague, to=me)
    notes.add(subject, "For myself", by=me, to=me)
    notice = Notice.objects.get(user=me)
    assert notice.url == f"/messaging/message/{message.public_id}/change/#notes"
    assert "left a note for you." in client.get("/notices/").content.decode()
    choose(client)
    notes.add(subject, "Again", by=colleague, to=me)
    assert Notice.objects.filter(user=me).count() == 1
