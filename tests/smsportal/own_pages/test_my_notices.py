"""The bell on each page, and the page of one's own notices."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.models import Notice
from core.notices import notify
from core.stored_texts import from_staff
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
URL = "/notices/"


@pytest.fixture
def me(client: Client) -> User:
    user = make_staff("operator")
    client.force_login(user)
    return user


def html(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def tell(user: User, event: str, url: str = "/my-settings/") -> Notice:
    notify(user.pk, event, from_staff(f"{event} <happened>"), url)
    return Notice.objects.get(event=event)


def test_bell_counts_own_unread_notices(client: Client, me: User) -> None:
    assert "bell-count" not in html(client.get("/my-settings/"))
    tell(me, "one")
    tell(me, "two")
    tell(make_user(), "other")
    page = html(client.get("/my-settings/"))
    assert '<span class="bell-count" aria-hidden="true">2</span>' in page
    assert ">Notifications, 2 new<" in page


def test_page_lists_own_notices_newest_first(client: Client, me: User) -> None:
    tell(me, "one")
    tell(me, "two")
    tell(make_user(), "other")
    page = html(client.get(URL))
    assert page.index("two &lt;happened&gt;") < page.index("one &lt;happened&gt;")
    assert "other" not in page.split('class="panel flush notices"')[1].split("</ul>")[0]


def test_opened_notice_is_read_and_leads_to_its_page(client: Client, me: User) -> None:
    notice = tell(me, "one")
    tell(me, "two")
    assert client.get(f"{URL}{notice.pk}/")["Location"] == "/my-settings/"
    assert list(Notice.objects.filter(read_at=None).values_list("event", flat=True)) == ["two"]


def test_notice_of_another_person_is_not_found(client: Client, me: User) -> None:
    notice = tell(make_user(), "other")
    assert client.get(f"{URL}{notice.pk}/").status_code == 404
    client.post(URL)
    assert Notice.objects.get().read_at is None


@pytest.mark.parametrize("url", ["//evil.example/", "https://evil.example/"])
def test_notice_never_leads_elsewhere(client: Client, me: User, url: str) -> None:
    assert client.get(f"{URL}{tell(me, 'one', url).pk}/").status_code == 404


def test_all_are_marked_as_read_at_once(client: Client, me: User) -> None:
    tell(me, "one")
    tell(me, "two")
    assert client.post(URL)["Location"] == URL
    assert "bell-count" not in html(client.get(URL))


def test_many_are_counted_up_to_a_bound(client: Client, me: User) -> None:
    for number in range(101):
        tell(me, str(number))
    assert ">99+</span>" in html(client.get("/my-settings/"))


def test_polled_parts_do_not_count_notices(client: Client, me: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        client.get("/banner/")
    assert not [one for one in queries if "core_notice" in one["sql"]]
