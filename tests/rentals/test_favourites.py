"""Favourites: which pairs a person keeps, and how many."""

from __future__ import annotations

import pytest

from rentals import favourites
from rentals.models import Favourite
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db


def test_favourites_are_personal_and_in_order() -> None:
    person, other = make_user(), make_user()

    assert favourites.add(person, "gosms", ("whatsapp", "ID"))
    assert favourites.add(person, "gosms", ("telegram", "GB"))
    assert favourites.add(person, "gosms", ("whatsapp", "ID"))
    assert favourites.add(other, "gosms", ("signal", "FR"))

    assert favourites.favourites_of(person, "gosms") == [("whatsapp", "ID"), ("telegram", "GB")]
    assert favourites.favourites_of(person, "another") == []

    favourites.remove(person, "gosms", ("whatsapp", "ID"))
    assert favourites.favourites_of(person, "gosms") == [("telegram", "GB")]
    assert favourites.favourites_of(other, "gosms") == [("signal", "FR")]


def test_the_number_of_favourites_is_bounded() -> None:
    person = make_user()
    for number in range(favourites.MOST):
        assert favourites.add(person, "gosms", (f"app{number}", "ID"))

    assert not favourites.add(person, "gosms", ("one-more", "ID"))
    assert favourites.add(person, "gosms", ("app0", "ID"))

    assert Favourite.objects.count() == favourites.MOST
