"""Local accounts that are switched off, and the account for emergencies that stays."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from core.models import Act, Notice
from core.secrets import Secret
from core.stored_texts import show
from smsportal.sign_in.account_adapter import AccountAdapter
from smsportal.sign_in.checks import check_sign_in
from smsportal.sign_in.emergency_gaps import emergency_gaps
from smsportal.sign_in.oidc.configuration import IdentityProvider
from smsportal.sign_in.password_links import tokens
from tests.support.second_factor import add_app, enter_code, enter_password, signed_in_with_app
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db
PROVIDER = IdentityProvider("https://id.example", "portal", Secret("x"), {"staff": "viewer"})
WRONG = b"The username or password is incorrect."


@pytest.fixture(autouse=True)
def switched_off(settings: LazySettings) -> None:
    settings.LOCAL_SIGN_IN = False
    settings.EMERGENCY_ACCOUNT = "emergency"
    settings.IDENTITY_PROVIDER = PROVIDER


@pytest.fixture
def emergency() -> User:
    return member("manager", name="emergency", superuser=True)


def link_for(person: User) -> str:
    uid = urlsafe_base64_encode(force_bytes(person.pk))
    return reverse("set_password", args=[uid, tokens.make_token(person)])


def test_right_password_of_others_is_refused_like_a_wrong_one(client: Client) -> None:
    person = member("viewer")
    fields = {"username": person.username, "password": "right"}
    assert WRONG in client.post(reverse("admin:login"), fields).content
    assert client.get("/").status_code == 302


def test_no_other_way_in_is_left_for_others(client: Client) -> None:
    """Passkeys and whatever comes later pass the same rule."""
    client.get(reverse("admin:login"))
    request = client.request().wsgi_request
    from django.contrib.messages.storage.cookie import CookieStorage

    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    answer = AccountAdapter(request).pre_login(request, member("viewer"))
    assert answer is not None
    assert answer.headers["Location"] == reverse("account_login")


def test_pages_of_passwords_are_gone() -> None:
    person = member("viewer")
    assert browser_of(person).get(reverse("admin:password_change")).status_code == 404
    assert b"set a password" not in Client().get(link_for(person), follow=True).content
    page = Client().get(link_for(person), follow=True)
    assert b"new_password1" not in page.content


def test_nobody_makes_links_for_passwords() -> None:
    person = member("viewer")
    manager = browser_of(member("manager"))
    address = reverse("admin:auth_user_password_change", args=[person.pk])
    assert manager.get(address).status_code == 404
    assert manager.post(address).status_code == 404
    page = manager.get(reverse("admin:auth_user_change", args=[person.pk])).content.decode()
    assert "Switched off: staff sign in over the identity provider." in page


def test_emergency_account_needs_password_and_factor(client: Client, emergency: User) -> None:
    add_app(emergency)
    assert enter_password(client, emergency) == reverse("mfa_authenticate")
    assert enter_code(client) == "/"
    assert client.get("/").status_code == 200
    assert client.get(reverse("admin:password_change")).status_code == 200


def test_emergency_account_without_a_factor_only_sets_one_up(
    client: Client, emergency: User, settings: LazySettings
) -> None:
    settings.SECOND_FACTOR_ROLES = []
    enter_password(client, emergency)
    assert client.get("/").headers["Location"].startswith(reverse("mfa_index"))


def test_use_of_the_emergency_account_is_alarmed(emergency: User) -> None:
    managers = [member("manager", name=name) for name in ("first", "second")]
    member("viewer")
    add_app(emergency)
    signed_in_with_app(emergency)
    assert Act.objects.filter(what="sign_in.emergency", by=emergency).count() == 1
    words = "The emergency account emergency signed in."
    told = {notice.user for notice in Notice.objects.all() if words in show(notice.text)}
    assert told == {*managers, emergency}


def test_emergency_account_is_alarmed_while_local_accounts_are_on(
    emergency: User, settings: LazySettings
) -> None:
    settings.LOCAL_SIGN_IN = True
    add_app(emergency)
    signed_in_with_app(emergency)
    assert Act.objects.filter(what="sign_in.emergency").exists()


def test_dashboard_says_if_the_emergency_account_would_not_help(emergency: User) -> None:
    request = type("Request", (), {"user": member("manager")})()

    def gaps() -> list[str]:
        return [str(item.text) for item in emergency_gaps(request)]

    assert ["has no second factor yet" in text for text in gaps()] == [True]
    add_app(emergency)
    assert gaps() == []
    User.objects.filter(pk=emergency.pk).update(is_active=False)
    assert ["cannot sign in" in text for text in gaps()] == [True]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"IDENTITY_PROVIDER": None}, ["smsportal.E061"]),
        ({"EMERGENCY_ACCOUNT": ""}, ["smsportal.E062"]),
        ({"IDENTITY_PROVIDER_GAPS": ["OIDC_ROLES"]}, ["smsportal.E060"]),
        ({"LOCAL_SIGN_IN": True, "IDENTITY_PROVIDER": None, "EMERGENCY_ACCOUNT": ""}, []),
    ],
)
def test_settings_that_leave_nobody_able_to_sign_in_stop_the_start(
    settings: LazySettings, changes: dict[str, object], found: list[str]
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert [problem.id for problem in check_sign_in()] == found


def test_sign_in_page_leads_to_the_provider_and_folds_the_form_away(client: Client) -> None:
    page = client.get(reverse("admin:login")).content.decode()
    assert "Sign in with OpenID Connect" in page
    assert page.index("<details") < page.index('id="login-form"')
