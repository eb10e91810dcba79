"""Allowed base URLs, and the many spellings of private addresses."""

from __future__ import annotations

import pytest

from providers.gateway.http.address import AddressPolicy, ForbiddenAddress, check_base_url

from .callers import Names

STRICT = AddressPolicy()
LOOSE = AddressPolicy(allow_http=True, allow_private=True)

PRIVATE = {
    "https://127.0.0.1": "private",
    "https://127.1.2.3:8443/api": "private",
    "https://10.0.0.1": "private",
    "https://172.16.0.1": "private",
    "https://192.168.1.1": "private",
    "https://169.254.169.254/latest/meta-data": "private",
    "https://168.63.129.16/machine": "private",
    "https://100.64.0.1": "private",
    "https://192.0.0.8": "private",
    "https://192.88.99.1": "private",
    "https://198.18.0.1": "private",
    "https://224.0.0.1": "private",
    "https://240.0.0.1": "private",
    "https://255.255.255.255": "private",
    "https://0.0.0.0": "private",
    "https://[::1]": "private",
    "https://[::]": "private",
    "https://[::ffff:127.0.0.1]": "private",
    "https://[::ffff:8.8.8.8]": "private",
    "https://[::ffff:7f00:1]": "private",
    "https://[::127.0.0.1]": "private",
    "https://[fe80::1]": "private",
    "https://[fc00::1]": "private",
    "https://[fec0::1]": "private",
    "https://[ff02::1]": "private",
    "https://[2002:7f00:1::]": "private",
    "https://[64:ff9b::7f00:1]": "private",
    "https://[2001:db8::1]": "private",
    "https://[2001:0:7f00:1::]": "private",
    "https://localhost": "private",
    "https://LOCALHOST": "private",
    "https://2130706433": "odd_address",
    "https://0x7f.1": "odd_address",
    "https://0x7f000001": "odd_address",
    "https://017700000001": "odd_address",
    "https://0177.0.0.1": "odd_address",
    "https://127.1": "odd_address",
    "https://127.0.0.1.": "odd_address",
    "https://0": "odd_address",
}


@pytest.mark.parametrize(("url", "reason"), PRIVATE.items(), ids=PRIVATE)
def test_private_address_is_refused(url: str, reason: str) -> None:
    with pytest.raises(ForbiddenAddress) as raised:
        check_base_url(url, STRICT)
    assert raised.value.reason == reason


SPELLINGS = {
    "http://8.8.8.8": "not_https",
    "ftp://8.8.8.8": "not_http",
    "//8.8.8.8": "not_http",
    "8.8.8.8": "not_http",
    "": "not_http",
    "https://": "no_host",
    "https:///path": "no_host",
    "https://:443": "no_host",
    "https://user:password@8.8.8.8": "credentials_in_url",
    "https://user@8.8.8.8": "credentials_in_url",
    "https://8.8.8.8?key=1": "query_in_url",
    "https://8.8.8.8/?": "query_in_url",
    "https://8.8.8.8/#top": "fragment_in_url",
    "https://8.8.8.8:0": "bad_port",
    "https://8.8.8.8:99999": "bad_port",
    "https://8.8.8.8:x": "bad_port",
    "https://8.8.8.8:22": "other_service",
    "https://8.8.8.8:1023": "other_service",
    "https://8.8.8.8:5432": "other_service",
    "https://[::1": "bad_host",
    "https://[fe80::1%25eth0]": "bad_host",
    "https://a%2eb": "bad_host",
    "https://１２７.0.0.1": "bad_host",
    "https://a..": "unresolvable",
    "https://8.8.8.8/a b": "bad_characters",
    "https://8.8.8.8\\@example.com": "bad_characters",
    "https://8.8.8.8/\r\nX: y": "bad_characters",
    "https://provider.invalid": "unresolvable",
    "https://" + "a" * 70 + ".example": "unresolvable",
}


@pytest.mark.parametrize(("url", "reason"), SPELLINGS.items(), ids=map(ascii, SPELLINGS))
def test_invalid_base_url_is_refused_with_its_reason(url: str, reason: str) -> None:
    with pytest.raises(ForbiddenAddress) as raised:
        check_base_url(url, STRICT)
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    "url",
    [
        "https://8.8.8.8",
        "https://8.8.8.8:8443/api/v1/",
        "https://[2606:4700:4700::1111]/api",
        "https://[64:ff9b::808:808]",
    ],
)
def test_public_address_is_allowed(url: str) -> None:
    check_base_url(url, STRICT)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/haosms", "http://localhost", "http://0"])
def test_installation_may_allow_private_hosts(url: str) -> None:
    check_base_url(url, LOOSE)


def test_one_private_address_among_public_ones_is_refused(names: Names) -> None:
    names["mixed.example"] = ["8.8.8.8", "10.0.0.1"]
    with pytest.raises(ForbiddenAddress):
        check_base_url("https://mixed.example", STRICT)


def test_name_with_only_public_addresses_is_allowed(names: Names) -> None:
    names["provider.example"] = ["8.8.8.8", "2606:4700:4700::1111"]
    check_base_url("https://provider.example/api", STRICT)


def test_error_does_not_contain_the_url() -> None:
    with pytest.raises(ForbiddenAddress) as raised:
        check_base_url("https://user:password@8.8.8.8", STRICT)
    assert "password" not in repr(raised.value)
