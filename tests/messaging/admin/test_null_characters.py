"""A null character in an address. PostgreSQL takes none, not even to compare with."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories.accounts import make_account
from tests.factories.staff import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def manager() -> Client:
    for provider in ("haorui", "haosms"):
        make_account(provider)
    browser = Client()
    browser.force_login(make_staff("manager"))
    return browser


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("messaging_batch_new", "like"),
        ("otp_session_send", "like"),
        ("messaging_message_changelist", "batch"),
    ],
)
def test_null_character_names_nothing(manager: Client, page: str, name: str) -> None:
    answer = manager.get(reverse(f"admin:{page}"), {name: "\x00a"})
    assert answer.status_code in (200, 302)
