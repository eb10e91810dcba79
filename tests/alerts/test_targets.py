"""Which addresses are taken, and which are refused and why."""

from __future__ import annotations

import socket

import pytest

from alerts import targets
from alerts.targets import SERVICES, ForbiddenTarget, check_ping, check_target, policy_of
from providers.gateway.http import address

STRICT = policy_of(allow_private=False)
LOOSE = policy_of(allow_private=True)


@pytest.fixture(autouse=True)
def public_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name resolves to a public address, but `inside`."""

    def resolve(host: str, _port: int) -> list[address.Resolved]:
        known = {"inside.example.com": "10.0.0.5"}
        if host.replace(".", "").isdigit() or ":" in host:
            known[host] = host
        return [(socket.AF_INET, (known.get(host, "93.184.216.34"), 443))]

    monkeypatch.setattr(address, "resolve", resolve)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.key)
def test_example_of_each_service_is_taken_and_shows_no_secret(service: targets.Service) -> None:
    found = check_target(service.example, STRICT)
    assert found.service == service.key
    for part in ("PASSWORD", "TOKEN", "SECRET", "KEY", "WORKFLOW", "TOPIC", "CHAT", "path", "A/B"):
        assert part not in found.shown


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("file:///etc/passwd", "unknown_service"),
        ("apprise://config.example.com/x", "unknown_service"),
        ("exec:///bin/sh", "unknown_service"),
        ("syslog://", "unknown_service"),
        ("twilio://a:b@c/d", "unknown_service"),
        ("https://hooks.example.com/x", "unknown_service"),
        ("json://hooks.example.com/x", "unencrypted"),
        ("mailto://smtp.example.com?to=a@example.com", "unencrypted"),
        ("mailtos://smtp.example.com?to=a@example.com&mode=insecure", "unencrypted"),
        ("jsons://127.0.0.1/x", "private"),
        ("jsons://[::1]/x", "private"),
        ("jsons://169.254.169.254/latest", "private"),
        ("jsons://inside.example.com/x", "private"),
        ("jsons://2130706433/x", "odd_address"),
        ("jsons://0x7f.1/x", "odd_address"),
        ("jsons://hooks.example.com:5432/x", "other_service"),
        ("mailtos://smtp.example.com?to=a@example.com&smtp=inside.example.com", "private"),
        ("mailtos://smtp.example.com", "no_receiver"),
        ("jsons://hooks.example.com/x?verify=no", "bad_parameter"),
        ("jsons://hooks.example.com/x?redirect=yes", "bad_parameter"),
        ("jsons://hooks.example.com/x?VERIFY=no", "bad_parameter"),
        ("jsons://hooks.example.com/x?method=GET", "bad_parameter"),
        ("jsons://hooks.example.com/x?%76erify=no", "bad_parameter"),
        ("jsons://hooks.example.com/x?+Name=a;verify=no", "bad_parameter"),
        ("jsons://hooks.example.com/x?+Name=a;%76erify=no", "bad_parameter"),
        ("jsons://hooks.example.com/x?" + "&".join(["+Name=a"] * 21), "bad_parameter"),
        ("mailtos://smtp.example.com?to=a@example.com;pgpkey=/etc/x", "bad_parameter"),
        ("mailtos://smtp.example.com?to=a@example.com;mode=insecure", "unencrypted"),
        ("mailtos://smtp.example.com?to=a@example.com&%20mode=insecure", "unencrypted"),
        ("mailtos://smtp.example.com?to=a@example.com&mode+=insecure", "unencrypted"),
        ("mailtos://smtp.example.com?to=a@example.com&mode=ssl&MODE=insecure", "unencrypted"),
        ("mailtos://smtp.example.com?to=a@example.com&%20smtp=inside.example.com", "private"),
        ("slack://A/B/C?template=/etc/passwd", "bad_parameter"),
        ("mailtos://smtp.example.com?to=a@example.com&pgpkey=/etc/x", "bad_parameter"),
        ("ntfys://ntfy.sh/x?attach=http://inside.example.com", "bad_parameter"),
        ("dingtalk://", "no_host"),
        ("jsons://hooks.example.com/a b", "bad_characters"),
        ("jsons://hooks.example.com/x#y", "bad_characters"),
        ("jsons://hooks.example.com/\u4f60", "bad_characters"),
        ("slack://" + "A" * 1000, "too_long"),
    ],
)
def test_other_addresses_are_refused(url: str, reason: str) -> None:
    with pytest.raises(ForbiddenTarget) as refused:
        check_target(url, STRICT)
    assert refused.value.reason == reason


def test_header_is_taken_by_webhooks() -> None:
    assert check_target("jsons://hooks.example.com/x?+Authorization=abc", STRICT)


@pytest.mark.parametrize(
    "query",
    [
        "+Name=a;verify=no",
        "to=a@example.com;mode=insecure&%20smtp=b;;X+=1",
        "%2bName=+a+&+a+b=%20c%20",
        "a&&;b=;+=1",
    ],
)
def test_parameters_are_read_as_the_library_reads_them(query: str) -> None:
    from apprise.utils.parse import parse_qsd

    read = {name: value for name, value in parse_qsd(query)["qsd"].items() if name}
    assert dict(targets._pairs(query)) == read


def test_private_network_and_plain_connections_are_taken_where_the_setting_allows_them() -> None:
    for url in ("json://127.0.0.1:8080/x", "mailto://127.0.0.1:25?to=a@example.com"):
        assert check_target(url, LOOSE)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hc.example.com/x", "not_https"),
        ("https://127.0.0.1/x", "private"),
        ("https://inside.example.com/x", "private"),
        ("ftp://hc.example.com/x", "not_http"),
        ("https://user:secret@hc.example.com/x", "credentials_in_url"),
    ],
)
def test_address_of_the_ping_is_checked_too(url: str, reason: str) -> None:
    with pytest.raises(ForbiddenTarget) as refused:
        check_ping(url, STRICT)
    assert refused.value.reason == reason
    assert check_ping("https://hc.example.com/ping/secret", STRICT).shown == "hc.example.com"
