"""The client address of a request behind trusted and untrusted proxies."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from core.client_address import client_address, is_within, parse_address, parse_network

PROXIES = ["10.0.0.0/8", "2001:db8::1"]


def address_of(sender: str, forwarded: str = "") -> str:
    request = RequestFactory().get("/", REMOTE_ADDR=sender, HTTP_X_FORWARDED_FOR=forwarded)
    return str(client_address(request))


@pytest.mark.parametrize(
    ("sender", "forwarded", "expected"),
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
def test_only_entries_of_trusted_proxies_count(
    settings: Settings, sender: str, forwarded: str, expected: str
) -> None:
    settings.TRUSTED_PROXIES = PROXIES
    assert address_of(sender, forwarded) == expected


@pytest.mark.parametrize(("trusted", "expected"), [(["unix"], "203.0.113.9"), ([], "None")])
def test_unix_socket_client_is_a_proxy_only_if_trusted(
    settings: Settings, trusted: list[str], expected: str
) -> None:
    settings.TRUSTED_PROXIES = trusted
    assert address_of("", "203.0.113.9") == expected


@pytest.mark.parametrize("sender", ["10.0.0.1", "2001:db8::1", ""])
@pytest.mark.parametrize(
    ("count", "forwarded", "expected"),
    [
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        (2, "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "1.2.3.4, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (1, "nonsense", "None"),
    ],
)
def test_outermost_of_a_known_number_of_proxies_says_the_address(
    settings: Settings, sender: str, count: int, forwarded: str, expected: str
) -> None:
    settings.TRUSTED_PROXIES = []
    settings.PROXY_COUNT = count
    assert address_of(sender, forwarded) == expected


@pytest.mark.parametrize("forwarded", ["", "203.0.113.9"])
def test_request_that_did_not_come_through_all_proxies_is_taken_as_seen(
    settings: Settings, forwarded: str
) -> None:
    settings.TRUSTED_PROXIES = []
    settings.PROXY_COUNT = 2
    assert address_of("198.51.100.7", forwarded) == "198.51.100.7"


def test_trusted_proxies_are_more_exact_than_their_number(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = PROXIES
    settings.PROXY_COUNT = 1
    assert address_of("198.51.100.7", "203.0.113.9") == "198.51.100.7"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.9:52100", "203.0.113.9"),
        ("[2001:db8::9]:52100", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("2001:db8::9", "2001:db8::9"),
        (" 203.0.113.9 ", "203.0.113.9"),
    ],
)
def test_port_behind_an_address_is_dropped(text: str, expected: str) -> None:
    assert str(parse_address(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("198.51.100.7", True),
        ("198.51.101.7", False),
        ("::ffff:198.51.100.7", True),
        ("::1", False),
    ],
)
def test_address_matches_only_networks_of_its_version(text: str, expected: bool) -> None:
    networks = ["198.51.100.0/24", "2001:db8::/32", "nonsense"]
    assert is_within(parse_address(text), networks) == expected


def test_single_address_counts_as_a_network() -> None:
    assert is_within(parse_address("203.0.113.7"), ["203.0.113.7"])
    assert parse_network("203.0.113.7/33") is None
    assert not is_within(None, ["0.0.0.0/0"])
