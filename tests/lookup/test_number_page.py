"""The page of a number: what each reader sees of it, and what staff may write."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import strip_tags

from core.models import Act
from core.phones.searches import allow_search
from core.phones.tokens import token_of
from lookup.models import Note, NumberName
from messaging import do_not_send
from messaging.models import Message
from providers import clock
from tests.factories.codes import make_session
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
NUMBER = "+8613912345678"
SHOWN = "+86 139 1234 5678"
TEXT = "The parcel of room 1208."


def page(client: Client, number: str = NUMBER, **query: str) -> str:
    answer = client.get(f"/number/{token_of(number)}/", query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def rows() -> User:
    """A message, a code session, an order and an entry of the list, all of one person."""
    person = make_staff("operator")
    make_message(by=person, recipient=NUMBER, text=TEXT)
    make_session(by=person, recipient=NUMBER)
    make_rented(phone=NUMBER, by=person)
    do_not_send.add(NUMBER, "asked for it", make_staff("manager"))
    return person


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_page_shows_everything_in_order_and_counts_it(rows: User) -> None:
    shown = strip_tags(page(signed_in(rows)))

    assert "All 5" in " ".join(shown.split())
    for word in ("Open message", "Open code", "Open order", "Open the list", "asked for it"):
        assert word in shown


def test_own_number_is_whole_and_others_see_dots(rows: User) -> None:
    assert SHOWN in page(signed_in(rows))

    other = page(signed_in(make_staff("operator")))
    assert "1234" not in strip_tags(other)
    assert TEXT not in other
    assert "Reveal…" not in other

    manager = page(signed_in(make_staff("manager")))
    assert "1234" not in strip_tags(manager)
    assert "Reveal…" in manager


def test_own_number_is_hidden_after_twelve_hours() -> None:
    person = make_staff("operator")
    old = clock.now() - timedelta(hours=13)
    message = make_message(by=person, recipient=NUMBER, text=TEXT)
    Message.objects.filter(pk=message.pk).update(typed_at=old, created_at=old)

    shown = page(signed_in(person))

    assert "1234" not in strip_tags(shown)
    assert TEXT not in shown


def test_whoever_typed_the_number_sees_it_and_gets_filled_forms(rows: User) -> None:
    person = make_staff("operator")
    client = signed_in(person)
    send_url = f"/messaging/message/send/?number={token_of(NUMBER)}"
    assert SHOWN not in client.get(send_url).content.decode()

    allow_search(NUMBER, person, where="search")

    assert SHOWN in page(client)
    assert SHOWN in client.get(send_url).content.decode()
    # The texts of others stay hidden.
    assert TEXT not in page(client)


def test_reveal_asks_for_a_reason_and_is_recorded(rows: User) -> None:
    manager = make_staff("manager")
    url = f"/number/{token_of(NUMBER)}/reveal/"
    client = signed_in(manager)

    assert "Choose a reason" in client.post(url).content.decode()
    assert not Act.objects.filter(what="reveal").exists()
    answer = client.post(url, {"reason": "customer"})

    assert SHOWN in answer.content.decode()
    act = Act.objects.get(what="reveal")
    assert (act.by, act.subject) == (manager, "")
    # It leads to the number, so it can be erased.
    assert act.personal["number"] == token_of(NUMBER)
    assert signed_in(make_staff("operator")).post(url, {"reason": "customer"}).status_code == 403


@pytest.mark.parametrize(
    ("permission", "seen", "unseen"),
    [
        ("messaging.view_message", "Open message", ("Open code", "Open order")),
        ("otp.view_session", "Open code", ("Open message", "Open order")),
        ("rentals.view_order", "Open order", ("Open message", "Open code")),
    ],
)
def test_each_kind_needs_its_own_permission(
    rows: User, permission: str, seen: str, unseen: tuple[str, ...]
) -> None:
    shown = page(signed_in(make_user(permission)))

    assert seen in shown
    assert not any(word in shown for word in unseen)


def test_person_without_any_permission_sees_nothing(rows: User) -> None:
    url = f"/number/{token_of(NUMBER)}/"

    assert signed_in(make_user("providers.view_account")).get(url).status_code == 403
    assert Client().get(url).status_code == 302


@pytest.mark.parametrize("token", ["x", "+8613912345678", "A" * 900, "é"])
def test_other_addresses_are_not_found(token: str) -> None:
    assert signed_in(make_staff("manager")).get(f"/number/{token}/").status_code == 404


def test_name_and_notes_are_kept_and_shown_to_all() -> None:
    person, url = make_staff("operator"), f"/number/{token_of(NUMBER)}/"
    client = signed_in(person)

    client.post(f"{url}name/", {"name": "  Room   1208 "})
    add = f"/notes/number/{token_of(NUMBER)}/add/"
    client.post(add, {"text": "Calls back <b>at 15:00</b>"})
    client.post(add, {"text": "   "})

    shown = page(signed_in(make_staff("viewer")))
    assert "Room 1208" in shown
    assert "Calls back &lt;b&gt;at 15:00&lt;/b&gt;" in shown
    assert NumberName.objects.get().named_by == person
    assert Note.objects.get().by == person


def test_note_is_removed_by_its_writer_or_a_manager_only() -> None:
    writer, other = make_staff("operator"), make_staff("operator")
    note = Note.objects.create(number=NUMBER, text="first", by=writer)
    url = f"/notes/{note.pk}/remove/"

    assert signed_in(other).post(url).status_code == 403
    assert signed_in(make_staff("viewer")).post(url).status_code == 403
    assert signed_in(writer).post(url).status_code == 302

    note.refresh_from_db()
    assert note.removed_by == writer
    assert "first" not in page(signed_in(writer))


def test_viewer_writes_nothing() -> None:
    client = signed_in(make_staff("viewer"))
    url = f"/number/{token_of(NUMBER)}/"

    assert client.post(f"{url}name/", {"name": "x"}).status_code == 403
    assert client.post(f"/notes/number/{token_of(NUMBER)}/add/", {"text": "x"}).status_code == 403
    assert "New note" not in page(client)


def test_older_events_are_on_further_pages() -> None:
    person = make_staff("operator")
    for number in range(60):
        message = make_message(by=person, recipient=NUMBER, text=f"text {number:02}.")
        at = clock.now() - timedelta(minutes=number)
        Message.objects.filter(pk=message.pk).update(created_at=at)
    client = signed_in(person)
    first = page(client)
    assert "text 00." in first
    assert "text 59." not in first
    before = Message.objects.order_by("-created_at")[49].created_at

    second = page(client, before=before.isoformat())

    assert "text 59." in second
    assert "text 49." not in second


@pytest.mark.parametrize("before", ["x", "2026-13-45", "0001-01-01T00:00", "9999-12-31T23:59Z"])
def test_wrong_time_shows_the_newest(before: str) -> None:
    person = make_staff("operator")
    make_message(by=person, recipient=NUMBER, text=TEXT)

    assert TEXT in page(signed_in(person), before=before)


def test_lists_link_each_number_to_its_page(rows: User) -> None:
    client, url = signed_in(rows), f"/number/{token_of(NUMBER)}/"

    for address in ("/messaging/message/", "/otp/session/"):
        assert url in client.get(address).content.decode()


def test_queries_do_not_grow_with_rows(django_assert_max_num_queries: Any) -> None:
    person = make_staff("operator")
    client = signed_in(person)
    make_message(by=person, recipient=NUMBER)
    page(client)
    for _number in range(20):
        make_message(by=person, recipient=NUMBER)

    with django_assert_max_num_queries(45):
        page(client)


def test_long_name_is_refused_beside_the_field_and_kept_as_typed() -> None:
    client, name = signed_in(make_staff("operator")), "Front desk " * 8
    answer = client.post(f"/number/{token_of(NUMBER)}/name/", {"name": name})
    assert not NumberName.objects.exists()
    shown = answer.content.decode()
    assert "This may have at most 80 characters; it has 87. Shorten it." in shown
    assert f'value="{name}" aria-invalid="true"' in shown
