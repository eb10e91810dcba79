"""What the settings of an identity provider mean, all of them or some."""

from __future__ import annotations

import pytest

from smsportal.configuration.environment import Environment
from smsportal.sign_in.oidc.configuration import IdentityProvider, read
from smsportal.sign_in.oidc.http_session import is_of_provider

ALL = {
    "OIDC_ISSUER": "https://id.example.com/realms/staff/",
    "OIDC_CLIENT_ID": "portal",
    "OIDC_CLIENT_SECRET": "long enough",
    "OIDC_ROLES": "sms=operator, cn=chiefs=manager,more=operator",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*ALL, "OIDC_HOSTS", "OIDC_NAME"):
        monkeypatch.delenv(name, raising=False)


def configured(monkeypatch: pytest.MonkeyPatch, **values: str) -> IdentityProvider:
    for name, value in {**ALL, **values}.items():
        monkeypatch.setenv(name, value)
    env = Environment()
    found, gaps = read(env)
    assert (gaps, env.problems) == ([], [])
    assert found is not None
    return found


def test_nothing_set_is_switched_off() -> None:
    assert read(Environment()) == (None, [])


def test_some_set_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_CLIENT_ID", "portal")
    assert read(Environment()) == (None, ["OIDC_ISSUER", "OIDC_CLIENT_SECRET", "OIDC_ROLES"])


def test_last_equals_sign_separates_group_and_role(monkeypatch: pytest.MonkeyPatch) -> None:
    found = configured(monkeypatch)
    assert found.roles == {"sms": "operator", "cn=chiefs": "manager", "more": "operator"}


def test_secret_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = configured(monkeypatch)
    assert found.client_secret.reveal() == "long enough"
    assert "long enough" not in repr(found)


def test_slash_at_the_end_makes_no_other_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    with_slash = configured(monkeypatch)
    without = configured(monkeypatch, OIDC_ISSUER="https://id.example.com/realms/staff")
    other = configured(monkeypatch, OIDC_ISSUER="https://id.example.com/realms/others")
    assert with_slash.key == without.key != other.key


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://id.example.com/token", True),
        ("https://keys.example.net/keys", True),
        ("http://id.example.com/token", False),
        ("https://id.example.com.evil.example/token", False),
        ("https://id.example.com@evil.example/token", False),
        ("https://user@id.example.com/token", False),
        ("https://[id.example.com/token", False),
        ("//id.example.com/token", False),
        ("", False),
        (None, False),
        (["https://id.example.com/token"], False),
    ],
)
def test_addresses_are_those_of_named_hosts(
    monkeypatch: pytest.MonkeyPatch, url: object, fits: bool
) -> None:
    found = configured(monkeypatch, OIDC_HOSTS="keys.example.net")
    assert is_of_provider(url, found) is fits
