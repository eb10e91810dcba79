"""What surrounds a page is kept for some seconds, and for one person only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest
from django.utils import timezone, translation
from pytest_django import Settings

from core import page_memory
from core.page_memory import remember
from messaging.models import Message
from tests.factories.messages import make_message
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kept(settings: Settings) -> Iterator[None]:
    settings.PAGE_MEMORY_SECONDS = 3
    page_memory.forget()
    yield
    page_memory.forget()


def asked_by(user: User) -> HttpRequest:
    request = HttpRequest()
    # Each request loads the person anew.
    request.user = User.objects.get(pk=user.pk)
    return request


@pytest.fixture
def serial() -> Iterator[int]:
    return count(1)


def test_something_is_made_once_in_three_seconds(serial: Iterator[int]) -> None:
    person = member("operator")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert [remember("it", asked_by(person), lambda: next(serial)) for _ in range(2)] == [1, 1]
        clock.shift(timedelta(seconds=2.9))
        assert remember("it", asked_by(person), lambda: next(serial)) == 1
        clock.shift(timedelta(seconds=0.2))
        assert remember("it", asked_by(person), lambda: next(serial)) == 2
        clock.shift(timedelta(hours=-1))
        assert remember("it", asked_by(person), lambda: next(serial)) == 3


def test_it_belongs_to_a_person_a_language_and_a_zone(serial: Iterator[int]) -> None:
    one, other = member("operator", name="one"), member("operator", name="other")

    def read(person: User) -> int:
        return remember("it", asked_by(person), lambda: next(serial))

    assert (read(one), read(other)) == (1, 2)
    with translation.override("zh-hans"):
        assert read(one) == 3
    with timezone.override("Asia/Kathmandu"):
        assert read(one) == 4
    assert (read(one), read(other)) == (1, 2)
    assert remember("another", asked_by(one), lambda: "x") == "x"


def test_a_change_of_permissions_is_seen_at_once(serial: Iterator[int]) -> None:
    person = member("viewer")

    def read() -> int:
        return remember("it", asked_by(person), lambda: next(serial))

    assert read() == 1
    person.user_permissions.add(Permission.objects.get(codename="send_message"))
    assert read() == 2
    person.groups.clear()
    assert read() == 3
    User.objects.filter(pk=person.pk).update(is_superuser=True)
    assert read() == 4


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_memory, "MOST_KEPT", 2)
    person = member("viewer")
    for number in range(9):
        remember(str(number), asked_by(person), lambda: number)  # noqa: B023
    assert len(page_memory._kept) <= 2


def test_badges_are_those_of_three_seconds_ago_and_of_nobody_else() -> None:
    make_message(state="unknown")
    operator, stranger = browser_of(member("operator")), browser_of(member(name="stranger"))
    badge = '<span class="nav-badge">1</span>'
    assert badge in operator.get("/").content.decode()
    assert badge not in stranger.get("/").content.decode()
    Message.objects.update(state="delivered")
    assert badge in operator.get("/").content.decode()
    page_memory.forget()
    assert badge not in operator.get("/").content.decode()
