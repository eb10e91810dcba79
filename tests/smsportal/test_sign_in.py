"""Signing in and out."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from tests.support.signed_in import member

pytestmark = pytest.mark.django_db


def test_signing_in_redirects_to_the_requested_page(client: Client) -> None:
    member("viewer")
    target = reverse("admin:password_change")
    response = client.post(
        f"{reverse('admin:login')}?next={target}",
        {"username": "viewer", "password": "right", "next": target},
    )
    assert response.status_code == 302
    assert response["Location"] == target


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_signing_in_does_not_redirect_to_other_sites(client: Client, target: str) -> None:
    member("viewer")
    response = client.post(
        reverse("admin:login"), {"username": "viewer", "password": "right", "next": target}
    )
    assert response["Location"] == "/"


def test_wrong_name_wrong_password_and_inactive_user_give_the_same_message(client: Client) -> None:
    member("viewer")
    inactive = member("operator", name="inactive")
    inactive.is_active = False
    inactive.save()
    for name, password in (("nobody", "x"), ("viewer", "x"), ("inactive", "right")):
        response = client.post(reverse("admin:login"), {"username": name, "password": password})
        assert b"The username or password is incorrect." in response.content
        assert b"Error: Sign in" in response.content


def test_empty_form_asks_for_name_and_password(client: Client) -> None:
    response = client.post(reverse("admin:login"), {})
    assert b"Enter username and password." in response.content


def test_password_is_not_echoed(client: Client) -> None:
    fields = {"username": "x", "password": "what-I-typed"}
    assert b"what-I-typed" not in client.post(reverse("admin:login"), fields).content


def test_lockout_page_shows_until_when(client: Client, settings: LazySettings) -> None:
    settings.AXES_ENABLED = True
    for _ in range(settings.AXES_FAILURE_LIMIT):
        response = client.post(reverse("admin:login"), {"username": "viewer", "password": "x"})
    assert response.status_code == 429
    assert b"Too many tries. Sign-in is locked until" in response.content


def test_signing_out_requires_post(client: Client) -> None:
    client.force_login(member("viewer"))
    assert client.get(reverse("admin:logout")).status_code == 405
    assert client.post(reverse("admin:logout")).status_code == 302
    assert client.get("/").status_code == 302
