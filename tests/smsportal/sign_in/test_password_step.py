"""Signing in and out."""

from __future__ import annotations

import pytest
from auditlog.models import LogEntry
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


PROXIED = {
    "unix socket, named": {"TRUSTED_PROXIES": ["unix"], "PROXY_COUNT": 0},
    "unix socket, named and counted": {"TRUSTED_PROXIES": ["unix"], "PROXY_COUNT": 1},
    "unix socket, counted": {"TRUSTED_PROXIES": [], "PROXY_COUNT": 1},
    "network": {"TRUSTED_PROXIES": ["10.0.0.0/8"], "PROXY_COUNT": 0},
    "counted": {"TRUSTED_PROXIES": [], "PROXY_COUNT": 1},
}


def try_password(client: Client, sender: str, forwarded: str = "", password: str = "x") -> int:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    response = client.post(
        reverse("admin:login"),
        {"username": "viewer", "password": password},
        headers=headers,
        REMOTE_ADDR=sender,
    )
    return response.status_code


@pytest.mark.parametrize("kind", PROXIED)
def test_lockout_behind_a_proxy_is_for_one_client(
    client: Client, settings: LazySettings, kind: str
) -> None:
    settings.AXES_ENABLED = True
    for name, value in PROXIED[kind].items():
        setattr(settings, name, value)
    member("viewer")
    proxy = "" if "unix" in kind else "10.0.0.1"
    codes = [
        try_password(client, proxy, f"1.2.3.{number}, 203.0.113.9")
        for number in range(settings.AXES_FAILURE_LIMIT)
    ]
    assert codes[-1] == 429
    assert try_password(client, proxy, "203.0.113.9", "right") == 429
    # The same user name still signs in from elsewhere.
    assert try_password(client, proxy, "203.0.113.10", "right") == 302


@pytest.mark.parametrize("sender", ["", "10.0.0.1"])
def test_guessing_is_locked_even_if_the_address_is_unknown(
    client: Client, settings: LazySettings, sender: str
) -> None:
    settings.AXES_ENABLED = True
    settings.TRUSTED_PROXIES, settings.PROXY_COUNT = [], 0
    member("viewer")
    codes = [try_password(client, sender) for _ in range(settings.AXES_FAILURE_LIMIT)]
    assert codes[-1] == 429


def test_audit_log_names_the_same_client_as_sign_in(client: Client, settings: LazySettings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    manager, other = member("manager"), member("viewer")
    client.force_login(manager)
    client.post(
        reverse("admin:auth_user_change", args=[other.pk]),
        {"username": other.username, "is_active": "on", "first_name": "Mei"},
        headers={"X-Forwarded-For": "1.2.3.4, 203.0.113.9"},
        REMOTE_ADDR="10.0.0.1",
    )
    changes = LogEntry.objects.filter(object_pk=str(other.pk)).values_list("remote_addr", flat=True)
    assert "203.0.113.9" in changes
    assert "1.2.3.4" not in changes


def test_signing_out_requires_post(client: Client) -> None:
    client.force_login(member("viewer"))
    assert client.get(reverse("admin:logout")).status_code == 405
    assert client.post(reverse("admin:logout")).status_code == 302
    assert client.get("/").status_code == 302
