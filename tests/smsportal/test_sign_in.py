from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from tests.support.signed_in import member

pytestmark = pytest.mark.django_db


def test_the_right_password_leads_to_the_page_that_was_wanted(client: Client) -> None:
    member("viewer")
    wanted = reverse("admin:password_change")
    answer = client.post(
        f"{reverse('admin:login')}?next={wanted}",
        {"username": "viewer", "password": "right", "next": wanted},
    )
    assert answer.status_code == 302
    assert answer["Location"] == wanted


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_no_address_elsewhere_is_followed_after_signing_in(client: Client, wanted: str) -> None:
    member("viewer")
    answer = client.post(
        reverse("admin:login"), {"username": "viewer", "password": "right", "next": wanted}
    )
    assert answer["Location"] == "/"


def test_wrong_name_wrong_password_and_closed_account_read_the_same(client: Client) -> None:
    member("viewer")
    closed = member("operator", name="closed")
    closed.is_active = False
    closed.save()
    for name, password in (("nobody", "x"), ("viewer", "x"), ("closed", "right")):
        answer = client.post(reverse("admin:login"), {"username": name, "password": password})
        assert b"Username or password is not right." in answer.content
        assert b"Error: Sign in" in answer.content


def test_an_empty_form_asks_for_both(client: Client) -> None:
    answer = client.post(reverse("admin:login"), {})
    assert b"Enter username and password." in answer.content


def test_the_password_is_never_sent_back(client: Client) -> None:
    fields = {"username": "x", "password": "what-I-typed"}
    assert b"what-I-typed" not in client.post(reverse("admin:login"), fields).content


def test_after_too_many_tries_the_page_says_until_when(
    client: Client, settings: LazySettings
) -> None:
    settings.AXES_ENABLED = True
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = client.post(reverse("admin:login"), {"username": "viewer", "password": "x"})
    assert answer.status_code == 429
    assert b"Too many tries. Sign-in is locked until" in answer.content


def test_signing_out_takes_a_post(client: Client) -> None:
    client.force_login(member("viewer"))
    assert client.get(reverse("admin:logout")).status_code == 405
    assert client.post(reverse("admin:logout")).status_code == 302
    assert client.get("/").status_code == 302
