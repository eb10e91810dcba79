"""Where a request came from, as far as that can be believed."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from core.client_address import client_address, is_within, parse_address, parse_network

PROXIES = ["10.0.0.0/8", "2001:db8::1"]


def address(sender: str, forwarded: str = "") -> str:
    request = RequestFactory().get("/", REMOTE_ADDR=sender, HTTP_X_FORWARDED_FOR=forwarded)
    return str(client_address(request))


@pytest.mark.parametrize(
    ("sender", "forwarded", "found"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("2001:db8::1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "nonsense", "None"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
    ],
)
def test_only_what_trusted_proxies_wrote_is_believed(
    settings: Settings, sender: str, forwarded: str, found: str
) -> None:
    settings.TRUSTED_PROXIES = PROXIES
    assert address(sender, forwarded) == found


@pytest.mark.parametrize(("trusted", "found"), [(["unix"], "203.0.113.9"), ([], "None")])
def test_a_socket_file_has_no_address(settings: Settings, trusted: list[str], found: str) -> None:
    settings.TRUSTED_PROXIES = trusted
    assert address("", "203.0.113.9") == found


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("198.51.100.7", True),
        ("198.51.101.7", False),
        ("::ffff:198.51.100.7", True),
        ("::1", False),
    ],
)
def test_an_address_is_looked_for_in_networks_of_its_kind(text: str, inside: bool) -> None:
    networks = ["198.51.100.0/24", "2001:db8::/32", "nonsense"]
    assert is_within(parse_address(text), networks) == inside


def test_a_single_address_is_a_network_too() -> None:
    assert is_within(parse_address("203.0.113.7"), ["203.0.113.7"])
    assert parse_network("203.0.113.7/33") is None
    assert not is_within(None, ["0.0.0.0/0"])
