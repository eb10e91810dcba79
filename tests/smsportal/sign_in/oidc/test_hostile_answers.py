"""Forged, stale and broken answers at every step of a sign-in over the identity provider."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import time
from typing import Any

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from smsportal.sign_in.oidc import http_session
from tests.fakes.identity_provider import (
    CLIENT,
    SECRET,
    FakeProvider,
    jwk,
    private_key,
    running_provider,
    write_token,
)
from tests.support.second_factor import enter_password
from tests.support.signed_in import member

from .browser import address_of, come_back, is_in, leave, sign_in, text_of

pytestmark = pytest.mark.django_db
DIRECTORY = "/.well-known/openid-configuration"


def is_refused(client: Client, answer: HttpResponse, words: str = "was not valid") -> bool:
    assert words in text_of(answer)
    return not is_in(client) and not User.objects.exists() and not SocialAccount.objects.exists()


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "nonce of another sign-in": {"nonce": "other"},
    "no nonce": {"nonce": None},
    "for another portal": {"aud": "other"},
    "for nobody": {"aud": None},
    "for several, by nobody named": {"aud": [CLIENT, "other"]},
    "made for another party": {"azp": "other"},
    "of another issuer": {"iss": "https://evil.example"},
    "of no issuer": {"iss": None},
    "expired": {"exp": int(time.time()) - 3600},
    "without an end": {"exp": None},
    "made long ago": {"iat": int(time.time()) - 3600},
    "made in the future": {"iat": int(time.time()) + 3600},
    "not valid yet": {"nbf": int(time.time()) + 3600},
    "without a moment": {"iat": None},
    "with a moment in quotes": {"iat": str(int(time.time()))},
    "of nobody": {"sub": None},
    "of an empty name": {"sub": ""},
    "of a number": {"sub": 5},
    "of a name that is too long": {"sub": "x" * 300},
    "with an end that is no time": {"exp": "soon"},
}


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_token_with_a_wrong_claim_signs_nobody_in(
    client: Client, idp: FakeProvider, changes: dict[str, Any]
) -> None:
    idp.changed_claims = changes
    assert is_refused(client, sign_in(client, idp))


def unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "", algorithm="none", headers={"kid": "key-1"})


def signed_with_the_public_key(claims: dict[str, Any]) -> str:
    """What passes where the kind of key is taken from the token."""
    public = (
        private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    head = {"alg": "HS256", "kid": "key-1", "typ": "JWT"}
    parts = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (head, claims)
    ]
    signature = hmac.new(public, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def with_the_client_secret(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, SECRET * 3, algorithm="HS256", headers={"kid": "key-1"})


def with_another_key(claims: dict[str, Any]) -> str:
    return write_token(claims, private_key("another"), "key-1")


def with_an_unknown_key(claims: dict[str, Any]) -> str:
    return write_token(claims, key_id="another")


def with_a_key_inside(claims: dict[str, Any]) -> str:
    headers = {"kid": "key-9", "jwk": jwk("another"), "jku": "https://evil.example/keys"}
    return jwt.encode(claims, private_key("another"), algorithm="RS256", headers=headers)


def with_another_kind_of_key(claims: dict[str, Any]) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": "key-1"})


def changed_after_signing(claims: dict[str, Any]) -> str:
    head, _body, signature = write_token(claims).split(".")
    body = base64.urlsafe_b64encode(json.dumps({**claims, "groups": ["managers"]}).encode())
    return ".".join((head, body.rstrip(b"=").decode(), signature))


def rubbish(claims: dict[str, Any]) -> str:
    return "no.token.at-all"


@pytest.mark.parametrize(
    "write",
    [
        unsigned,
        signed_with_the_public_key,
        with_the_client_secret,
        with_another_key,
        with_an_unknown_key,
        with_a_key_inside,
        with_another_kind_of_key,
        changed_after_signing,
        rubbish,
    ],
)
def test_token_with_a_wrong_signature_signs_nobody_in(
    client: Client, idp: FakeProvider, write: Any
) -> None:
    idp.write = write
    assert is_refused(client, sign_in(client, idp))


def test_key_for_encryption_signs_nobody_in(client: Client, idp: FakeProvider) -> None:
    idp.keys = [{**jwk(), "use": "enc"}]
    assert is_refused(client, sign_in(client, idp))


def test_new_key_of_the_provider_is_fetched(client: Client, idp: FakeProvider) -> None:
    sign_in(Client(), idp)
    idp.keys = [jwk("key-2")]
    idp.write = lambda claims: write_token(claims, key_id="key-2")
    sign_in(client, idp)
    assert is_in(client)


def test_unknown_keys_do_not_make_the_portal_ask_again_and_again(
    client: Client, idp: FakeProvider
) -> None:
    idp.write = with_an_unknown_key
    for _ in range(4):
        sign_in(client, idp)
    assert idp.asked.count("/keys") <= 2


class TestState:
    def test_made_up_state_signs_nobody_in(self, client: Client, idp: FakeProvider) -> None:
        answer = sign_in(client, idp, state="made-up")
        assert is_refused(client, answer, "begun in another browser")
        assert "/token" not in idp.asked

    def test_answer_in_another_browser_signs_nobody_in(
        self, client: Client, idp: FakeProvider
    ) -> None:
        page = leave(Client())
        assert is_refused(client, come_back(client, idp, page), "begun in another browser")

    def test_answer_counts_once(self, client: Client, idp: FakeProvider) -> None:
        page = leave(client)
        come_back(client, idp, page)
        client.post(reverse("admin:logout"))
        assert "begun in another browser" in text_of(come_back(client, idp, page))
        assert not is_in(client)

    def test_code_of_another_sign_in_lacks_the_verifier(
        self, client: Client, idp: FakeProvider
    ) -> None:
        page = leave(client)
        query = idp.authorize(address_of(page))
        idp.authorize(address_of(leave(Client())))
        answer: Any = client.get(reverse("oidc_return"), query)
        assert is_refused(client, answer)

    def test_answer_of_another_issuer_is_refused_before_anything_is_asked(
        self, client: Client, idp: FakeProvider
    ) -> None:
        assert is_refused(client, sign_in(client, idp, iss="https://evil.example"))
        assert "/token" not in idp.asked

    def test_cancelled_sign_in_says_so(self, client: Client, idp: FakeProvider) -> None:
        page = leave(client)
        query = {"state": idp.authorize(address_of(page))["state"], "error": "access_denied"}
        answer: Any = client.get(reverse("oidc_return"), query)
        assert is_refused(client, answer, "the sign-in at Acme was cancelled")

    def test_text_of_an_error_is_not_shown(self, client: Client, idp: FakeProvider) -> None:
        page = leave(client)
        query = {
            "state": idp.authorize(address_of(page))["state"],
            "error": "server_error",
            "error_description": "Call 0900 123456",
        }
        answer: Any = client.get(reverse("oidc_return"), query)
        assert "0900" not in text_of(answer)

    @pytest.mark.parametrize("method", ["get", "put"])
    def test_only_a_form_begins_a_sign_in(
        self, client: Client, idp: FakeProvider, method: str
    ) -> None:
        getattr(client, method)(reverse("oidc_start"))
        assert idp.asked == []

    def test_form_of_another_site_begins_none(self, idp: FakeProvider) -> None:
        client = Client(enforce_csrf_checks=True)
        assert client.post(reverse("oidc_start")).status_code == 403
        assert idp.asked == []

    def test_words_in_the_address_change_nothing_of_the_request(
        self, client: Client, idp: FakeProvider
    ) -> None:
        page = client.post(
            f"{reverse('oidc_start')}?scope=admin&auth_params=prompt%3Dnone&process=add"
        )
        idp.authorize(address_of(page))
        assert "prompt" not in idp.authorized
        assert "admin" not in idp.authorized["scope"]


BROKEN: dict[str, tuple[str, int, bytes]] = {
    "directory is no JSON": (DIRECTORY, 200, b"<html>"),
    "directory is a list": (DIRECTORY, 200, b"[]"),
    "directory is empty": (DIRECTORY, 200, b"{}"),
    "directory has an error": (DIRECTORY, 502, b"bad gateway"),
    "directory is missing": (DIRECTORY, 404, b""),
    "directory leads elsewhere": (DIRECTORY, 302, b"https://evil.example/"),
    "directory is endless": (DIRECTORY, 200, b" " * 2_000_000),
    "keys are no JSON": ("/keys", 200, b"<html>"),
    "keys are a text": ("/keys", 200, b'{"keys": "x"}'),
    "keys are none": ("/keys", 200, b'{"keys": [1, {}, {"kty": "RSA", "kid": "key-1"}]}'),
    "keys have an error": ("/keys", 500, b""),
    "token has an error": ("/token", 503, b""),
    "token is refused": ("/token", 400, b'{"error": "invalid_grant"}'),
    "token is a redirect": ("/token", 302, b"https://evil.example/"),
    "token is empty": ("/token", 200, b"{}"),
    "token is a text": ("/token", 200, b'"access_token"'),
    "token is a list": ("/token", 200, b'["access_token"]'),
    "token is a form": ("/token", 200, b"access_token=x&id_token=y"),
    "access token is a number": ("/token", 200, b'{"access_token": 1}'),
    "no id token": ("/token", 200, b'{"access_token": "x", "expires_in": "soon"}'),
    "id token is a number": ("/token", 200, b'{"access_token": "x", "id_token": 1}'),
}


@pytest.mark.parametrize(("path", "status", "body"), BROKEN.values(), ids=BROKEN)
def test_broken_answer_gives_a_page_and_signs_nobody_in(
    client: Client, idp: FakeProvider, path: str, status: int, body: bytes
) -> None:
    idp.answers[path] = (status, body)
    answer = leave(client)
    if address_of(answer):
        answer = come_back(client, idp, answer)
    assert answer.status_code in (400, 503)
    assert is_refused(client, answer, "Acme")


@pytest.mark.parametrize(
    "changes",
    [
        {"token_endpoint": "https://evil.example/token"},
        {"token_endpoint": "http://127.0.0.1@evil.example/token"},
        {"jwks_uri": "http://169.254.169.254/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
        {"issuer": "http://evil.example"},
    ],
)
def test_addresses_on_other_hosts_are_not_used(
    client: Client, idp: FakeProvider, changes: dict[str, Any]
) -> None:
    idp.directory_changes = changes
    assert "does not answer" in text_of(leave(client))
    assert idp.asked == [DIRECTORY]


class TestOutage:
    def test_provider_that_is_gone_is_said_and_local_accounts_go_on(
        self, client: Client, idp: FakeProvider, settings: LazySettings
    ) -> None:
        with running_provider() as other:
            gone = other.settings()
        settings.IDENTITY_PROVIDER = gone
        answer = leave(client)
        assert answer.status_code == 503
        assert "Acme does not answer" in text_of(answer)
        assert enter_password(client, member("viewer")) == "/"

    def test_provider_that_goes_away_meanwhile_is_said(
        self, client: Client, idp: FakeProvider, settings: LazySettings
    ) -> None:
        with running_provider() as other:
            settings.IDENTITY_PROVIDER = other.settings()
            page = leave(client)
            query = other.authorize(address_of(page))
        cache.clear()
        answer: Any = client.get(reverse("oidc_return"), query)
        assert answer.status_code == 503
        assert not is_in(client)

    @pytest.mark.parametrize("path", [DIRECTORY, "/token", "/keys"])
    def test_provider_that_trickles_is_given_up(
        self,
        client: Client,
        idp: FakeProvider,
        monkeypatch: pytest.MonkeyPatch,
        path: str,
    ) -> None:
        monkeypatch.setattr(http_session, "TOTAL_SECONDS", 0.3)
        idp.trickles = path
        answer = leave(client)
        if address_of(answer):
            answer = come_back(client, idp, answer)
        assert answer.status_code == 503
        assert "Acme does not answer" in text_of(answer)

    def test_provider_that_is_down_is_not_asked_by_everybody(
        self, client: Client, idp: FakeProvider
    ) -> None:
        idp.answers[DIRECTORY] = (500, b"")
        for _ in range(3):
            leave(client)
        assert len(idp.asked) == 1


def test_no_secret_reaches_the_log(
    client: Client, idp: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    idp.answers["/token"] = (200, b'{"refresh_token": "hidden-thing"}')
    sign_in(client, idp)
    idp.answers.clear()
    idp.changed_claims = {"nonce": "hidden-thing"}
    sign_in(client, idp)
    assert "Identity provider" in caplog.text
    assert SECRET not in caplog.text
    assert "hidden-thing" not in caplog.text
    assert SECRET not in repr(idp.settings())
