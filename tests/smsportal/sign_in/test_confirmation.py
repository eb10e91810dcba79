"""Asking again who somebody is, and what counts as an answer."""

from __future__ import annotations

import time
from html import unescape
from urllib.parse import urlencode

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from core.models import ExportJob
from smsportal.sign_in.confirmed_pages import ALWAYS, WITH_PERMISSION
from tests.factories.accounts import make_account
from tests.support.second_factor import (
    add_app,
    code_now,
    enter_password,
    member_with_app,
    signed_in_with_app,
)
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db
STAFF = "/auth/user/"
CONFIRM = "/confirm/"


@pytest.fixture(autouse=True)
def rule(settings: LazySettings) -> None:
    settings.CONFIRM_MINUTES = 15


def asks(client: Client, address: str) -> bool:
    return client.get(address).headers.get("Location", "").startswith(CONFIRM)


def test_sign_in_counts_for_a_quarter_of_an_hour(client: Client) -> None:
    manager, other = member("manager"), member("viewer")
    address = reverse("admin:auth_user_change", args=[other.pk])
    enter_password(client, manager)
    assert not asks(client, address)
    with time_machine.travel(time.time() + 16 * 60):
        assert asks(client, address)
        answer = client.post(CONFIRM, {"password": "right", "next": address})
        assert answer.headers["Location"] == address
        assert not asks(client, address)


def test_wrong_password_confirms_nothing_and_is_limited() -> None:
    client = browser_of(member("manager"))
    answers = [client.post(CONFIRM, {"password": "x"}).status_code for _ in range(11)]
    assert answers[0] == 200
    assert answers[-1] == 429
    assert asks(client, reverse("admin:auth_user_add"))


def test_password_is_not_guessed_where_sessions_are_confirmed() -> None:
    """Eight wrong ones within 15 minutes, as on the page that changes it, and both count them."""
    client = browser_of(member("manager"))
    for _ in range(8):
        assert client.post(CONFIRM, {"password": "x"}).status_code == 200
    with time_machine.travel(time.time() + 5 * 60):
        assert client.post(CONFIRM, {"password": "right"}).status_code == 429
        assert client.post(reverse("admin:password_change"), {}).status_code == 429
    with time_machine.travel(time.time() + 16 * 60):
        assert client.post(CONFIRM, {"password": "right"}).status_code == 302


def test_password_alone_does_not_confirm_who_has_a_factor(client: Client) -> None:
    """The password is what a thief of the open session may know as well."""
    manager = member("manager")
    client = browser_of(manager)
    add_app(manager)
    address = reverse("admin:auth_user_add")
    assert client.get(address).headers["Location"].startswith(reverse("mfa_reauthenticate"))
    answer = client.post(CONFIRM, {"password": "right", "next": address})
    assert answer.headers["Location"].startswith(reverse("mfa_reauthenticate"))
    assert asks(client, address)
    client.post(reverse("mfa_reauthenticate"), {"code": code_now(), "next": address})
    assert not asks(client, address)


def test_password_of_the_sign_in_does_not_confirm_who_has_a_factor_since(client: Client) -> None:
    manager, address = member("manager"), reverse("admin:auth_user_add")
    enter_password(client, manager)
    assert not asks(client, address)
    add_app(manager)
    assert client.get(address).headers["Location"].startswith(reverse("mfa_reauthenticate"))


def test_form_that_was_opened_in_time_is_taken_and_an_old_one_changes_nothing(
    client: Client,
) -> None:
    manager, other = member("manager"), member("viewer")
    address = reverse("admin:auth_user_change", args=[other.pk])
    fields = {"username": other.username, "is_active": "on", "first_name": "Mei"}
    enter_password(client, manager)
    with time_machine.travel(time.time() + 20 * 60):
        assert client.post(address, fields).status_code == 302
        other.refresh_from_db()
        assert other.first_name == "Mei"
    with time_machine.travel(time.time() + 31 * 60):
        answer = client.post(address, fields | {"first_name": "Lan"}, headers={"Referer": "/x"})
        assert answer.status_code == 403
        assert b"No change: confirm in a new tab" in answer.content
        other.refresh_from_db()
        assert other.first_name == "Mei"


@pytest.mark.parametrize(
    ("referer", "path"),
    [
        ("http://testserver/auth/user/?q=mei", "/auth/user/?q=mei"),
        ("https://elsewhere.example/auth/user/", "/"),
        ("http://testserver//elsewhere.example/", "/"),
        ("", "/"),
    ],
)
def test_refused_form_leads_back_to_its_own_page_only(referer: str, path: str) -> None:
    manager, other = member("manager"), member("viewer")
    address = reverse("admin:auth_user_change", args=[other.pk])
    client = browser_of(manager)
    answer = client.post(address, {"first_name": "Lan"}, headers={"Referer": referer})
    assert answer.status_code == 403
    assert urlencode({"next": path}) in unescape(answer.content.decode())


def test_form_is_never_kept_in_the_session() -> None:
    """The library keeps the whole form while it asks, and this one may hold an API key."""
    client = browser_of(member("manager"))
    account = make_account()
    address = reverse("admin:providers_account_change", args=[account.public_id])
    assert asks(client, address)
    assert client.post(address, {"api_key": "very-secret-key"}).status_code == 403
    client.post(reverse("mfa_generate_recovery_codes"), {"typed": "very-secret-key"})
    for session in Session.objects.all():
        assert "very-secret-key" not in str(session.get_decoded())


def test_exports_of_whole_numbers_ask_and_masked_ones_do_not() -> None:
    address = reverse("admin:messaging_message_export")
    assert asks(browser_of(member("manager")), address)
    assert not asks(browser_of(member("auditor")), address)
    assert not asks(browser_of(member("manager", name="x")), reverse("admin:auth_user_export"))


class TestOwnAddress:
    """An e-mail address may connect an account with an identity provider."""

    def test_changes_only_for_who_has_just_confirmed_and_nothing_typed_is_lost(self) -> None:
        user = member("viewer")
        client, page = browser_of(user), reverse("admin:my_settings")
        fields = {"email": "mei@example.org", "first_name": "Mei", "language": "en"}
        refused = client.post(page, fields)
        text = unescape(refused.content.decode())
        assert "confirm who you are in a new tab, then save again here" in text
        assert 'value="mei@example.org"' in text
        assert f'href="{CONFIRM}?{urlencode({"next": page})}"' in text
        user.refresh_from_db()
        assert (user.email, user.first_name) == ("", "")
        client.post(CONFIRM, {"password": "right", "next": page})
        assert client.post(page, fields).status_code == 302
        user.refresh_from_db()
        assert (user.email, user.first_name) == ("mei@example.org", "Mei")

    def test_other_settings_do_not_ask(self) -> None:
        user = member("viewer")
        User.objects.filter(pk=user.pk).update(email="mei@example.org")
        client, page = browser_of(user), reverse("admin:my_settings")
        assert not asks(client, page)
        fields = {"email": "mei@example.org", "first_name": "Mei", "language": "en"}
        assert client.post(page, fields).status_code == 302

    def test_form_that_was_opened_in_time_is_taken(self, client: Client) -> None:
        user, page = member("viewer"), reverse("admin:my_settings")
        enter_password(client, user)
        assert "Before the e-mail address changes" not in client.get(page).content.decode()
        fields = {"email": "mei@example.org", "language": "en"}
        with time_machine.travel(time.time() + 20 * 60):
            assert "Before the e-mail address changes" in client.get(page).content.decode()
            assert client.post(page, fields).status_code == 302
        with time_machine.travel(time.time() + 31 * 60):
            assert client.post(page, fields | {"email": ""}).status_code == 200


@pytest.mark.parametrize(("role", "is_asked"), [("manager", True), ("auditor", False)])
def test_file_of_an_export_with_whole_numbers_asks(role: str, is_asked: bool) -> None:
    user, now = member(role), timezone.now()
    times = {"asked_at": now, "progressed_at": now}
    job = ExportJob.objects.create(
        by=user, rows_of="messaging.message", format="csv", is_whole=is_asked, **times
    )
    file = reverse("admin:my_exports_file", args=[job.public_id])
    assert asks(browser_of(user), file) is is_asked
    # That of somebody else is not there, whatever they confirm.
    assert not asks(browser_of(member("manager", name="other")), file)


def test_factor_pages_ask() -> None:
    client = browser_of(member("viewer"))
    assert asks(client, reverse("mfa_activate_totp"))
    assert asks(client, reverse("mfa_add_webauthn"))


def test_only_paths_of_the_portal_are_led_to(client: Client) -> None:
    user = member("viewer")
    browser = browser_of(user)
    for target in ("https://evil.example/", "//evil.example", "http://testserver/x", "/\\evil"):
        assert enter_password(Client(), user, path=target) == "/"
        answer = browser.post(CONFIRM, {"password": "right", "next": target})
        assert answer.headers["Location"] == "/"
    app = signed_in_with_app(member_with_app("operator"))
    assert app.get("/login/?next=https://evil.example").headers["Location"] == "/"


def test_pages_that_ask_exist() -> None:
    arguments: tuple[list[object], ...] = ([], [1], ["x"])
    for name in (*ALWAYS, *WITH_PERMISSION):
        assert any(_reverses(name, each) for each in arguments), name


def _reverses(name: str, arguments: list[object]) -> bool:
    try:
        return bool(reverse(name, args=arguments))
    except NoReverseMatch:
        return False
