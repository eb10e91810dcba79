"""Second factors: the second step of a sign-in, their set-up, and whom they are required of."""

from __future__ import annotations

import re
from html import unescape

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse

from audit.addresses import facts_of
from core.fields import cipher
from core.models import Act, Notice
from core.stored_texts import show
from smsportal.sign_in.factors import has_factor
from smsportal.sign_in.required_factor import OPEN
from tests.support.second_factor import (
    add_app,
    code_now,
    enter_code,
    enter_password,
    member_with_app,
    signed_in_with_app,
)
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db


def opens(client: Client, address: str = "/") -> bool:
    return client.get(address).status_code == 200


class TestSecondStep:
    def test_password_alone_opens_nothing(self, client: Client) -> None:
        assert enter_password(client, member_with_app("viewer")) == reverse("mfa_authenticate")
        assert not opens(client)
        assert not opens(client, reverse("mfa_index"))

    def test_code_leads_to_the_page_that_was_asked_for(self, client: Client) -> None:
        user = member_with_app("viewer")
        enter_password(client, user, path=reverse("admin:notices"))
        assert enter_code(client) == reverse("admin:notices")
        assert opens(client)
        assert Act.objects.get(what="sign_in").details["how"] == ["password", "totp"]

    def test_code_works_once(self, client: Client) -> None:
        user = member_with_app("viewer")
        enter_password(client, user)
        enter_code(client)
        other = Client()
        enter_password(other, user)
        assert enter_code(other) == ""
        assert not opens(other)

    def test_recovery_code_works_once(self, client: Client) -> None:
        user = member_with_app("viewer")
        code = RecoveryCodes.activate(user).get_unused_codes()[0]
        enter_password(client, user)
        assert enter_code(client, code) == "/"
        other = Client()
        enter_password(other, user)
        assert enter_code(other, code) == ""

    def test_five_wrong_codes_close_the_step_for_the_right_one_too(self, client: Client) -> None:
        enter_password(client, member_with_app("viewer"))
        for _ in range(5):
            enter_code(client, "000000")
        answer = client.post(reverse("mfa_authenticate"), {"code": code_now()})
        assert b"Too many wrong codes." in answer.content

    def test_owner_is_told_once_of_wrong_codes_after_the_right_password(
        self, client: Client
    ) -> None:
        user = member_with_app("viewer")
        enter_password(client, user)
        enter_code(client, "000000")
        enter_code(client, "000001")
        texts = [show(notice.text) for notice in Notice.objects.filter(user=user)]
        assert len([text for text in texts if "the code of the second step was wrong" in text]) == 1

    def test_account_that_was_closed_meanwhile_does_not_get_in(self, client: Client) -> None:
        user = member_with_app("viewer")
        enter_password(client, user)
        User.objects.filter(pk=user.pk).update(is_active=False)
        enter_code(client)
        assert not opens(client)

    def test_code_is_refused_in_words_if_no_key_reads_the_secret(
        self, client: Client, settings: LazySettings
    ) -> None:
        enter_password(client, member_with_app("viewer"))
        settings.SECRETS_KEYS = ["b3RoZXIta2V5LW90aGVyLWtleS1vdGhlci1rZXktLS0="]
        answer = client.post(reverse("mfa_authenticate"), {"code": code_now()})
        assert b"keys have changed" in answer.content
        assert not opens(client)


class TestSetUp:
    def add(self, client: Client) -> str:
        page = client.get(reverse("mfa_activate_totp")).content.decode()
        secret = re.search(r'<code class="number"[^>]*>([A-Z2-7 ]+)</code>', page)
        assert secret
        code = code_now(secret[1].replace(" ", ""))
        answer = client.post(reverse("mfa_activate_totp"), {"code": code})
        return answer.headers.get("Location", "")

    def test_app_is_set_up_and_recovery_codes_are_shown_once(self) -> None:
        user = member("viewer")
        client = browser_of(user)
        assert self.add(client) == reverse("mfa_view_recovery_codes")
        page = unescape(client.get(reverse("mfa_view_recovery_codes")).content.decode())
        assert len(re.findall(r">(\d{8})</code>", page)) == 10
        page = client.get(reverse("mfa_view_recovery_codes")).content.decode()
        assert not re.findall(r"\d{8}</code>", page)
        assert Act.objects.filter(what="factor.add", by=user).exists()
        assert "Authenticator app" in show(Notice.objects.get(user=user).text)

    def test_wrong_code_keeps_the_picture(self) -> None:
        client = browser_of(member("viewer"))
        address = reverse("mfa_activate_totp")
        secrets = [
            re.findall(r"[A-Z2-7]{4}(?: [A-Z2-7]{4})+", page.content.decode())
            for page in (client.get(address), client.post(address, {"code": "000000"}))
        ]
        assert secrets[0] == secrets[1] != []

    def test_secrets_are_encrypted_at_rest_and_rotated(self, settings: LazySettings) -> None:
        user = member_with_app("viewer")
        RecoveryCodes.activate(user)
        codes = RecoveryCodes.activate(user).get_unused_codes()
        new = "bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3LWtleS0="
        settings.SECRETS_KEYS = [new, *settings.SECRETS_KEYS]
        call_command("rotate_keys")
        settings.SECRETS_KEYS = [new]
        for row in Authenticator.objects.all():
            assert cipher().decrypt((row.data.get("secret") or row.data["seed"]).encode())
        assert RecoveryCodes.activate(user).get_unused_codes() == codes
        assert enter_password(Client(), user) == reverse("mfa_authenticate")


class TestRequired:
    @pytest.fixture(autouse=True)
    def rule(self, settings: LazySettings) -> None:
        settings.SECOND_FACTOR_ROLES = ["manager", "superuser"]

    @pytest.mark.parametrize("roles", [("manager",), ()], ids=["manager", "administrator"])
    def test_without_a_factor_only_its_set_up_opens(self, roles: tuple[str, ...]) -> None:
        client = browser_of(member(*roles, superuser=not roles))
        for path in ("/", reverse("admin:my_settings"), reverse("admin:auth_user_changelist")):
            assert client.get(path).headers["Location"].startswith(reverse("mfa_index"))
        assert client.post(reverse("admin:notices")).headers["Location"] == reverse("mfa_index")
        assert client.get(reverse("admin:banner")).status_code == 401
        assert opens(client, reverse("mfa_index"))
        assert opens(client, reverse("mfa_activate_totp"))

    def test_recovery_codes_alone_are_no_factor(self) -> None:
        user = member("manager")
        RecoveryCodes.activate(user)
        assert not has_factor(user)
        address = browser_of(user).get("/").headers["Location"]
        assert address.startswith(reverse("mfa_index"))

    def test_set_up_counts_as_use(self) -> None:
        client = browser_of(member("manager"))
        client.get("/")
        TestSetUp().add(client)
        assert opens(client)

    def test_other_roles_are_not_asked(self) -> None:
        assert opens(browser_of(member("operator")))

    def test_session_from_before_the_factor_has_to_use_it(self) -> None:
        user = member("manager")
        client = browser_of(user)
        add_app(user)
        answer = client.get(reverse("admin:notices"))
        address = answer.headers["Location"]
        assert address.startswith(reverse("mfa_reauthenticate"))
        answer = client.post(address, {"code": code_now(), "next": reverse("admin:notices")})
        assert answer.headers["Location"] == reverse("admin:notices")
        assert opens(client)

    def test_person_cannot_remove_the_last_factor(self) -> None:
        user = member_with_app("manager")
        client = signed_in_with_app(user)
        answer = client.post(reverse("mfa_deactivate_totp"))
        assert b"Your role requires a second factor." in answer.content
        assert Authenticator.objects.filter(user=user, type="totp").exists()

    def test_open_pages_exist_by_exact_names(self) -> None:
        for name in OPEN:
            reverse(name)


def test_library_has_no_admin_pages() -> None:
    for model in ("mfa_authenticator", "usersessions_usersession", "account_emailaddress"):
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:{model}_changelist")


def test_library_opens_no_sign_up_and_no_reset() -> None:
    for name in ("account_signup", "account_reset_password", "account_email"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


class TestReset:
    def test_colleague_above_removes_the_factors_and_ends_the_sessions(self) -> None:
        operator, manager = member_with_app("operator"), member("manager")
        theirs, client = signed_in_with_app(operator), browser_of(manager)
        address = reverse("admin:auth_user_reset_factors", args=[operator.pk])
        assert b"Authenticator app" in client.get(address).content
        assert client.post(address).status_code == 302
        assert not Authenticator.objects.filter(user=operator).exists()
        assert not opens(theirs)
        act = Act.objects.get(what="staff.factors_reset")
        assert (act.by, act.subject, facts_of(act)) == (
            manager,
            f"user:{operator.pk}",
            {"kinds": ["totp"]},
        )
        assert "removed your second factors" in show(Notice.objects.latest("pk").text)
        assert enter_password(Client(), operator) == "/"

    def test_peers_superiors_and_oneself_are_out_of_reach(self) -> None:
        manager = member("manager")
        client = browser_of(manager)
        others = [manager, member("manager", name="peer"), member("x", superuser=True)]
        for person in others:
            add_app(person)
            address = reverse("admin:auth_user_reset_factors", args=[person.pk])
            assert client.get(address).status_code == 403
            assert client.post(address).status_code == 403
        assert Authenticator.objects.count() == len(others)

    def test_command_resets_an_administrator(self, capsys: pytest.CaptureFixture[str]) -> None:
        admin = member("manager", superuser=True)
        add_app(admin)
        call_command("reset_second_factor", admin.username)
        assert "Authenticator app" in capsys.readouterr().out
        assert not Authenticator.objects.exists()
