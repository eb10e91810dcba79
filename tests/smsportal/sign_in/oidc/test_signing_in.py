"""Signing in over the identity provider: who gets in, with which roles."""

from __future__ import annotations

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from audit.addresses import facts_of
from core.models import Act, Notice
from core.stored_texts import show
from tests.fakes.identity_provider import FakeProvider
from tests.support.second_factor import add_app, enter_code, enter_password
from tests.support.signed_in import browser_of, member

from .browser import address_of, come_back, is_in, leave, sign_in, text_of

pytestmark = pytest.mark.django_db


def roles(name: str = "wei") -> list[str]:
    return sorted(User.objects.get(username=name).groups.values_list("name", flat=True))


def told(user: User) -> list[str]:
    return [show(notice.text) for notice in Notice.objects.filter(user=user)]


def wei(idp: FakeProvider) -> User:
    """The person, after a first sign-in."""
    sign_in(Client(), idp)
    return User.objects.get(username="wei")


class TestPerson:
    def test_first_sign_in_creates_a_person_with_the_roles_of_the_groups(
        self, client: Client, idp: FakeProvider
    ) -> None:
        answer = sign_in(client, idp, reverse("admin:notices"))
        assert answer.headers["Location"] == reverse("admin:notices")
        assert is_in(client)
        person = User.objects.get(username="wei")
        assert person.get_full_name() == "Wei Chen"
        assert (person.is_staff, person.is_superuser) == (True, False)
        assert not person.has_usable_password()
        assert roles() == ["operator"]
        assert Act.objects.get(what="sign_in").details["how"] == ["provider"]

    def test_second_sign_in_finds_the_person_by_the_id(self, idp: FakeProvider) -> None:
        wei(idp)
        idp.person |= {"preferred_username": "new-name", "given_name": "Other"}
        client = Client()
        sign_in(client, idp)
        assert is_in(client)
        assert User.objects.count() == 1

    def test_another_issuer_has_other_people_with_the_same_ids(
        self, idp: FakeProvider, settings: LazySettings
    ) -> None:
        wei(idp)
        SocialAccount.objects.update(provider="oidc-of-another-issuer")
        assert "another account of this portal has your username" in text_of(sign_in(Client(), idp))

    def test_nothing_but_the_id_is_kept(self, idp: FakeProvider) -> None:
        wei(idp)
        account = SocialAccount.objects.get()
        assert (account.uid, account.extra_data) == ("u-1", {})
        assert not SocialToken.objects.exists()

    def test_unknown_person_is_refused_unless_people_are_created(
        self, client: Client, idp: FakeProvider, settings: LazySettings
    ) -> None:
        settings.IDENTITY_PROVIDER = idp.settings(creates_people=False)
        answer = sign_in(client, idp)
        assert answer.status_code == 403
        assert "you have no account in this portal" in text_of(answer)
        assert not User.objects.exists()
        assert facts_of(Act.objects.get(what="sign_in.provider_refused")) == {"why": "unknown"}

    @pytest.mark.parametrize("taken", ["wei", "WEI", "Ｗｅｉ"])
    def test_local_account_with_the_same_name_is_not_taken_over(
        self, client: Client, idp: FakeProvider, taken: str
    ) -> None:
        member("manager", name=taken)
        answer = sign_in(client, idp)
        assert "has your username" in text_of(answer)
        assert not is_in(client)
        assert not SocialAccount.objects.exists()

    def test_name_of_a_colleague_is_not_shown_as_that_of_a_new_person(
        self, idp: FakeProvider
    ) -> None:
        colleague = member("manager", name="boss")
        colleague.first_name, colleague.last_name = "Wei", "Chen"
        colleague.save()
        assert wei(idp).get_full_name() == ""

    def test_closed_account_is_refused(self, idp: FakeProvider) -> None:
        person = wei(idp)
        User.objects.filter(pk=person.pk).update(is_active=False)
        client = Client()
        assert "is closed" in text_of(sign_in(client, idp))
        assert not is_in(client)

    def test_administrator_never_comes_in_over_the_provider(self, idp: FakeProvider) -> None:
        person = wei(idp)
        User.objects.filter(pk=person.pk).update(is_superuser=True)
        client = Client()
        assert "Administrators of this portal cannot" in text_of(sign_in(client, idp))
        assert not is_in(client)

    def test_account_for_emergencies_never_comes_in_over_the_provider(
        self, idp: FakeProvider, settings: LazySettings
    ) -> None:
        settings.EMERGENCY_ACCOUNT = wei(idp).username
        client = Client()
        assert "Administrators of this portal cannot" in text_of(sign_in(client, idp))
        assert not is_in(client)


class TestGroups:
    def test_roles_follow_the_groups_at_every_sign_in(self, idp: FakeProvider) -> None:
        person = wei(idp)
        idp.person["groups"] = ["viewers", "managers", "unknown", 5]
        sign_in(Client(), idp)
        assert roles() == ["manager", "viewer"]
        act = Act.objects.filter(what="staff.roles_by_groups").latest("pk")
        assert act.subject == f"user:{person.pk}"
        assert (act.details["gained"], act.details["lost"]) == (["viewer", "manager"], ["operator"])

    def test_roles_that_the_setting_does_not_name_stay(self, idp: FakeProvider) -> None:
        person = wei(idp)
        person.groups.set(member("auditor").groups.all())
        sign_in(Client(), idp)
        assert roles() == ["auditor", "operator"]

    @pytest.mark.parametrize(
        "groups", [[], ["unknown"], None, "", {"operators": 1}, [["operators"]]]
    )
    def test_without_a_known_group_the_roles_go_and_sessions_end(
        self, idp: FakeProvider, groups: object
    ) -> None:
        client = Client()
        sign_in(client, idp)
        idp.person["groups"] = groups
        answer = sign_in(Client(), idp)
        assert answer.status_code == 403
        assert "none of your groups there has a role" in text_of(answer)
        assert roles() == []
        assert not is_in(client)

    def test_nobody_without_a_known_group_is_created(
        self, client: Client, idp: FakeProvider
    ) -> None:
        idp.person["groups"] = []
        sign_in(client, idp)
        assert not User.objects.exists()

    def test_one_group_may_be_a_plain_text(self, idp: FakeProvider) -> None:
        idp.person["groups"] = "managers"
        wei(idp)
        assert roles() == ["manager"]

    def test_groups_come_from_the_other_address_if_the_token_lacks_them(
        self, idp: FakeProvider
    ) -> None:
        del idp.person["groups"]
        idp.userinfo = {"sub": "u-1", "groups": ["viewers"], "preferred_username": "evil"}
        wei(idp)
        assert roles() == ["viewer"]

    def test_other_address_must_speak_of_the_same_person(
        self, client: Client, idp: FakeProvider
    ) -> None:
        del idp.person["groups"]
        idp.userinfo = {"sub": "u-2", "groups": ["managers"]}
        assert "was not valid" in text_of(sign_in(client, idp))
        assert not is_in(client)


class TestEmail:
    @pytest.fixture
    def local(self) -> User:
        person = member("viewer", name="local")
        person.email = "wei@example.com"
        person.save()
        return person

    @pytest.mark.parametrize(
        ("verified", "setting"), [(True, False), (False, True), ("true", True), (None, True)]
    )
    def test_address_alone_does_not_connect(
        self,
        client: Client,
        idp: FakeProvider,
        settings: LazySettings,
        local: User,
        verified: object,
        setting: bool,
    ) -> None:
        settings.IDENTITY_PROVIDER = idp.settings(links_by_email=setting, creates_people=False)
        idp.person |= {"email": "wei@example.com", "email_verified": verified}
        assert sign_in(client, idp).status_code == 403
        assert not SocialAccount.objects.exists()

    def test_verified_address_connects_and_closes_the_other_ways_in(
        self, client: Client, idp: FakeProvider, settings: LazySettings, local: User
    ) -> None:
        """People type their own address, so the account may be in the hands of somebody else."""
        settings.IDENTITY_PROVIDER = idp.settings(links_by_email=True, creates_people=False)
        add_app(local)
        other = browser_of(local)
        idp.person |= {"email": "WEI@example.com", "email_verified": True}
        sign_in(client, idp)
        assert is_in(client)
        assert not is_in(other)
        local.refresh_from_db()
        assert not local.has_usable_password()
        assert roles("local") == ["operator"]
        assert any("Your password and second factors" in text for text in told(local))

    def test_administrator_is_not_connected(
        self, client: Client, idp: FakeProvider, settings: LazySettings, local: User
    ) -> None:
        settings.IDENTITY_PROVIDER = idp.settings(links_by_email=True)
        User.objects.update(is_superuser=True)
        idp.person |= {"email": "wei@example.com", "email_verified": True}
        assert "Administrators" in text_of(sign_in(client, idp))
        local.refresh_from_db()
        assert local.has_usable_password()

    def test_address_of_two_accounts_connects_neither(
        self, client: Client, idp: FakeProvider, settings: LazySettings, local: User
    ) -> None:
        settings.IDENTITY_PROVIDER = idp.settings(links_by_email=True, creates_people=False)
        User.objects.create(username="second", email="Wei@example.com")
        idp.person |= {"email": "wei@example.com", "email_verified": True}
        assert sign_in(client, idp).status_code == 403


class TestFactor:
    @pytest.fixture(autouse=True)
    def rule(self, settings: LazySettings) -> None:
        settings.SECOND_FACTOR_ROLES = ["operator"]

    def test_provider_s_factor_does_not_count_by_default(
        self, client: Client, idp: FakeProvider
    ) -> None:
        idp.person |= {"amr": ["pwd", "mfa"], "acr": "2"}
        sign_in(client, idp)
        answer = client.get("/")
        assert answer.headers["Location"].startswith(reverse("mfa_index"))

    @pytest.mark.parametrize("claims", [{"amr": ["pwd", "mfa"]}, {"acr": "gold"}])
    def test_provider_s_factor_counts_if_the_setting_names_it(
        self, client: Client, idp: FakeProvider, settings: LazySettings, claims: dict[str, object]
    ) -> None:
        settings.IDENTITY_PROVIDER = idp.settings(factor_values=frozenset({"mfa", "gold"}))
        idp.person |= claims
        sign_in(client, idp)
        assert is_in(client)
        assert idp.authorized["acr_values"] == "gold mfa"

    def test_factor_at_the_provider_confirms_nobody_here(
        self, client: Client, idp: FakeProvider, settings: LazySettings
    ) -> None:
        """The provider may have asked for it days ago."""
        settings.CONFIRM_MINUTES = 15
        settings.IDENTITY_PROVIDER = idp.settings(factor_values=frozenset({"mfa"}))
        idp.person |= {"amr": ["mfa"], "auth_time": 1_000_000}
        sign_in(client, idp)
        assert is_in(client)
        assert client.get(reverse("mfa_activate_totp")).status_code == 302

    @pytest.mark.parametrize("claims", [{}, {"amr": "mfa"}, {"amr": [["mfa"]]}, {"acr": ["mfa"]}])
    def test_sign_in_without_the_named_value_does_not_count(
        self, client: Client, idp: FakeProvider, settings: LazySettings, claims: dict[str, object]
    ) -> None:
        settings.IDENTITY_PROVIDER = idp.settings(factor_values=frozenset({"mfa"}))
        idp.person |= claims
        sign_in(client, idp)
        assert not is_in(client)

    def test_own_factor_is_asked_for_after_the_provider(self, idp: FakeProvider) -> None:
        add_app(wei(idp))
        client = Client()
        answer = sign_in(client, idp, reverse("admin:notices"))
        assert answer.headers["Location"] == reverse("mfa_authenticate")
        assert not is_in(client)
        assert enter_code(client) == reverse("admin:notices")
        assert is_in(client)

    def test_own_factor_is_not_asked_for_if_that_of_the_provider_counts(
        self, idp: FakeProvider, settings: LazySettings
    ) -> None:
        add_app(wei(idp))
        settings.IDENTITY_PROVIDER = idp.settings(factor_values=frozenset({"mfa"}))
        idp.person["amr"] = ["mfa"]
        client = Client()
        sign_in(client, idp)
        assert is_in(client)


class TestConfirm:
    @pytest.fixture(autouse=True)
    def rule(self, settings: LazySettings) -> None:
        settings.CONFIRM_MINUTES = 15

    def signed_in(self, idp: FakeProvider) -> Client:
        client = Client()
        sign_in(client, idp)
        return client

    def test_person_without_a_password_confirms_over_the_provider(self, idp: FakeProvider) -> None:
        client = self.signed_in(idp)
        address = client.get(reverse("mfa_activate_totp")).headers["Location"]
        assert address.startswith(reverse("confirm_by_provider"))
        assert "Acme asks you to sign in again" in text_of(client.get(address))  # type: ignore[arg-type]
        page = leave(client, reverse("mfa_activate_totp"), "confirm_by_provider")
        idp.authorize(address_of(page))
        assert (idp.authorized["prompt"], idp.authorized["max_age"]) == ("login", "0")
        idp.person["auth_time"] = 9_999_999_999
        before = client.session.session_key
        answer = come_back(client, idp, page)
        assert answer.headers["Location"] == reverse("mfa_activate_totp")
        assert client.session.session_key != before
        assert client.get(reverse("mfa_activate_totp")).status_code == 200

    @pytest.mark.parametrize("auth_time", [None, 1_000_000, "now", True])
    def test_provider_that_did_not_ask_again_confirms_nobody(
        self, idp: FakeProvider, auth_time: object
    ) -> None:
        client = self.signed_in(idp)
        page = leave(client, "/", "confirm_by_provider")
        idp.person["auth_time"] = auth_time
        assert "did not ask you to sign in again" in text_of(come_back(client, idp, page))
        assert client.get(reverse("mfa_activate_totp")).status_code == 302

    def test_another_person_confirms_nobody(self, idp: FakeProvider) -> None:
        client = self.signed_in(idp)
        page = leave(client, "/", "confirm_by_provider")
        idp.person |= {"sub": "u-2", "auth_time": 9_999_999_999}
        assert "as another person" in text_of(come_back(client, idp, page))
        assert client.get(reverse("mfa_activate_totp")).status_code == 302

    def test_sign_in_of_a_moment_ago_counts_as_a_confirmation(self, idp: FakeProvider) -> None:
        idp.person["auth_time"] = 9_999_999_999
        assert self.signed_in(idp).get(reverse("mfa_activate_totp")).status_code == 200


class TestConnect:
    def test_person_connects_their_own_account_and_signs_in_over_the_provider(
        self, idp: FakeProvider
    ) -> None:
        person = member("viewer", name="local")
        client = browser_of(person)
        page = leave(client, page="my_provider")
        idp.person["auth_time"] = 9_999_999_999
        assert come_back(client, idp, page).headers["Location"] == reverse("my_provider")
        assert Act.objects.filter(what="sign_in.connect", by=person).exists()
        assert any("Your account can be used" in text for text in told(person))
        other = Client()
        sign_in(other, idp)
        assert is_in(other)
        assert roles("local") == ["operator"]
        assert enter_password(Client(), person) == "/"

    def test_identity_of_somebody_else_is_not_connected(self, idp: FakeProvider) -> None:
        wei(idp)
        client = browser_of(member("viewer", name="local"))
        page = leave(client, page="my_provider")
        idp.person["auth_time"] = 9_999_999_999
        assert "as another person" in text_of(come_back(client, idp, page))
        assert SocialAccount.objects.get().user.username == "wei"

    def test_administrator_does_not_connect(self, idp: FakeProvider) -> None:
        client = browser_of(member("manager", superuser=True))
        assert "Administrators" in text_of(leave(client, page="my_provider"))

    def test_person_with_a_password_disconnects(self, idp: FakeProvider) -> None:
        person = wei(idp)
        person.set_password("right")
        person.save()
        client = browser_of(person)
        leave(client, page="my_provider", disconnect="1")
        assert not SocialAccount.objects.exists()

    def test_only_way_in_stays_connected(self, idp: FakeProvider) -> None:
        client = browser_of(wei(idp))
        leave(client, page="my_provider", disconnect="1")
        assert SocialAccount.objects.exists()


def test_signing_out_leads_to_the_provider_s_sign_out(client: Client, idp: FakeProvider) -> None:
    sign_in(client, idp)
    answer = client.post(reverse("admin:logout"))
    assert answer.headers["Location"] == reverse("oidc_signed_out")
    page = client.get(reverse("oidc_signed_out"))
    assert f"{idp.issuer}/end?client_id=portal" in page.content.decode()
    assert not is_in(client)


def test_sign_in_page_offers_the_provider_only_if_there_is_one(
    client: Client, idp: FakeProvider, settings: LazySettings
) -> None:
    assert "Sign in with Acme" in client.get(reverse("admin:login")).content.decode()
    settings.IDENTITY_PROVIDER = None
    assert "Acme" not in client.get(reverse("admin:login")).content.decode()
    assert client.post(reverse("oidc_start")).status_code == 404
    assert client.get(reverse("oidc_return")).status_code == 404


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_other_sites_are_not_followed(client: Client, idp: FakeProvider, target: str) -> None:
    assert sign_in(client, idp, target).headers["Location"] == "/"
