"""The dashboard's line about a portal that one person alone can manage."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db
LINE = b"You are the only person who can manage staff."


def test_lone_manager_is_told_until_there_is_a_second_one() -> None:
    client = browser_of(member("manager"))
    member("operator")
    assert LINE in client.get(reverse("admin:index")).content
    second = member("manager", name="second")
    assert LINE not in client.get(reverse("admin:index")).content
    second.is_active = False
    second.save()
    assert LINE in client.get(reverse("admin:index")).content


def test_others_are_not_told() -> None:
    member("manager")
    assert LINE not in browser_of(member("operator")).get(reverse("admin:index")).content
