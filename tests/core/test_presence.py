"""Who is here, as colleagues see it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from core import presence
from core.people import person_name
from tests.factories.orders import make_order
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "_noted", {})
    cache.clear()


@pytest.fixture
def person() -> User:
    return member("operator", name="mei")


def test_person_who_opens_a_page_is_here(person: User) -> None:
    assert presence.present([person.pk]) == set()
    browser_of(person).get("/", headers={"Accept": "text/html,*/*"})
    assert presence.present([person.pk]) == {person.pk}


def test_page_that_is_left_open_says_nothing_about_its_reader(person: User) -> None:
    browser_of(person).get("/banner/", headers={"Accept": "*/*"})
    assert presence.present([person.pk]) == set()


def test_sent_form_counts(person: User) -> None:
    browser_of(person).post("/i18n/setlang/", {"language": "en"})
    assert presence.present([person.pk]) == {person.pk}


def test_those_who_are_here_come_first_where_an_order_is_reassigned(person: User) -> None:
    User.objects.filter(pk=person.pk).update(first_name="Mei", last_name="Zhou")
    member("operator", name="absent")
    order = make_order(state="pending", held_by=member("operator", name="holder"))
    browser_of(person).get("/", headers={"Accept": "text/html"})
    page = browser_of(member("manager", name="boss")).get(
        f"/rentals/order/{order.public_id}/change/", headers={"Accept": "text/html"}
    )
    listed = [(name, here) for _pk, name, here in page.context["colleagues"]]
    assert (person_name(User.objects.get(pk=person.pk)), True) == ("Mei Zhou", True)
    assert listed.index(("Mei Zhou", True)) < listed.index(("absent", False))
    assert "Active in the last 10 minutes" in page.content.decode()
