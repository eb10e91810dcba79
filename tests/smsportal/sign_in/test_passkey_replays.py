"""An assertion of a passkey counts once, in one browser, and for a person who may sign in."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import build_user_payload
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
)

from tests.support.signed_in import member

pytestmark = pytest.mark.django_db
HOST = "portal.example"
RP = hashlib.sha256(HOST.encode()).digest()
PRESENT_AND_VERIFIED = 0x05
HAS_CREDENTIAL = 0x40


@pytest.fixture(autouse=True)
def address(settings: LazySettings) -> None:
    settings.PUBLIC_ADDRESS = f"https://{HOST}"


class Passkey:
    """A key of a person, as a browser would use it."""

    def __init__(self, person: User) -> None:
        self.person = person
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = hashlib.sha256(person.username.encode()).digest()
        public = ES256.from_cryptography_key(self.key.public_key())
        credential = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        data = AuthenticatorData.create(
            RP, AuthenticatorData.FLAG(PRESENT_AND_VERIFIED | HAS_CREDENTIAL), 0, credential
        )
        response = {
            "clientDataJSON": websafe_encode(self._client_data("webauthn.create", "")),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        }
        stored = {**self._named(), "response": response, "clientExtensionResults": {}}
        Authenticator.objects.create(
            user=person, type="webauthn", data={"name": "key", "credential": stored}
        )

    def assertion(self, challenge: str) -> str:
        data = AuthenticatorData.create(RP, AuthenticatorData.FLAG(PRESENT_AND_VERIFIED), 0)
        client_data = self._client_data("webauthn.get", challenge)
        signed = data + hashlib.sha256(client_data).digest()
        response = {
            "clientDataJSON": websafe_encode(client_data),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(self.key.sign(signed, ec.ECDSA(SHA256()))),
            "userHandle": websafe_encode(build_user_payload(self.person).id),
        }
        return json.dumps({**self._named(), "response": response, "clientExtensionResults": {}})

    def _named(self) -> dict[str, Any]:
        name = websafe_encode(self.id)
        return {"id": name, "rawId": name, "type": "public-key"}

    def _client_data(self, kind: str, challenge: str) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": f"https://{HOST}"}
        return json.dumps(data).encode()


def challenge_of(browser: Client) -> str:
    answer = browser.get(
        reverse("mfa_login_webauthn"), headers={"x-requested-with": "XMLHttpRequest"}
    )
    challenge: str = answer.json()["request_options"]["publicKey"]["challenge"]
    return challenge


def use(browser: Client, assertion: str) -> bool:
    browser.post(reverse("mfa_login_webauthn"), {"credential": assertion})
    return browser.get("/").status_code == 200


def test_assertion_signs_in_once_and_in_its_own_browser_only(client: Client) -> None:
    passkey = Passkey(member("viewer"))
    assertion = passkey.assertion(challenge_of(client))
    stranger = Client()
    challenge_of(stranger)
    assert not use(stranger, assertion)
    assert use(client, assertion)
    client.post(reverse("admin:logout"))
    assert not use(client, assertion)
    challenge_of(client)
    assert not use(client, assertion)


def test_passkey_of_a_closed_person_is_refused_like_a_wrong_password(client: Client) -> None:
    person = member("viewer")
    passkey = Passkey(person)
    assertion = passkey.assertion(challenge_of(client))
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert not use(client, assertion)
    page = client.get(reverse("admin:login")).content.decode()
    assert "The username or password is incorrect." in page
