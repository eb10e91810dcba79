"""Reuse of connections, the request as sent, and the environment that is ignored."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from providers.gateway.call import Request
from providers.gateway.errors import NotDone, OutcomeUnknown
from providers.gateway.http.client import AddressPolicy
from providers.gateway.vocabulary import Reason

from .callers import Certificate, MakeCaller, Names, Serve
from .raw_server import Peer, always, answer, once


@pytest.mark.parametrize(
    "empty",
    [
        answer(b""),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=["no bytes", "no content", "no chunks"],
)
def test_empty_answer_frees_its_connection(serve: Serve, caller: MakeCaller, empty: bytes) -> None:
    server = serve(always(empty))
    made = caller(server.url)
    for _ in range(3):
        made.pay(parse=lambda answer_: None)
    assert server.connections == 1


@pytest.fixture
def soon_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.gateway.http.connection.IDLE_LIMIT", 0.02)


def test_recent_connection_is_reused_for_a_paid_call(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer()))
    made = caller(server.url)
    made.pay()
    made.pay()
    assert server.connections == 1


def test_idle_connection_is_not_reused_for_a_paid_call(
    serve: Serve, caller: MakeCaller, soon_idle: None
) -> None:
    server = serve(always(answer()))
    made = caller(server.url)
    made.read()
    time.sleep(0.05)
    made.pay()
    assert server.connections == 2


def test_idle_connection_is_reused_for_a_read(
    serve: Serve, caller: MakeCaller, soon_idle: None
) -> None:
    server = serve(always(answer()))
    made = caller(server.url)
    made.pay()
    time.sleep(0.05)
    made.read()
    assert server.connections == 1


def test_connection_that_the_server_gives_up_is_not_reused(
    serve: Serve, caller: MakeCaller
) -> None:
    server = serve(always(answer(headers=("Connection: close",))))
    made = caller(server.url)
    made.pay()
    made.pay()
    assert server.connections == 2


def test_connection_that_the_server_closed_is_replaced(serve: Serve, caller: MakeCaller) -> None:
    server = serve(once(answer()), always(answer()))
    made = caller(server.url)
    made.pay()
    time.sleep(0.05)
    made.pay()
    assert len(server.requests) == 2


def answer_once_then_vanish(peer: Peer) -> None:
    peer.read_request()
    peer.send(answer())
    peer.read_request()


def test_connection_that_closes_during_a_paid_call_causes_no_second_call(
    serve: Serve, caller: MakeCaller
) -> None:
    server = serve(answer_once_then_vanish)
    made = caller(server.url)
    made.pay()
    with pytest.raises(OutcomeUnknown) as raised:
        made.pay()
    assert (raised.value.reason, len(server.requests)) == (Reason.CUT_OFF, 2)


def test_surplus_answer_is_not_taken_for_the_next_one(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer(b'{"n": 1}') + answer(b'{"n": "left over"}')))
    made = caller(server.url)
    made.pay()
    time.sleep(0.05)
    assert made.pay() == {"n": 1}


def test_connection_with_unread_data_is_not_reused(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer(b"x" * (3 * 1024 * 1024))))
    made = caller(server.url)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            made.pay()
    assert server.connections == 2


# --- the request -----------------------------------------------------------


@pytest.mark.parametrize("base", ["", "/", "/api/v1", "/api/v1/"])
def test_base_url_and_path_are_joined_with_one_slash(
    serve: Serve, caller: MakeCaller, base: str
) -> None:
    server = serve(always(answer()))
    caller(server.url + base).read()
    target = server.requests[0].split()[1].decode()
    assert target == f"{base.rstrip('/')}/balance"


def test_query_is_percent_encoded(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer()))
    caller(server.url).read(Request("GET", "/send", query={"a": "b c&d=验+/"}))
    assert server.requests[0].split()[1] == b"/send?a=b%20c%26d%3D%E9%AA%8C%2B%2F"


def test_path_cannot_introduce_a_query(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer()))
    caller(server.url).read(Request("GET", "/order/1?x=2#y z"))
    assert server.requests[0].split()[1] == b"/order/1%3Fx=2%23y%20z"


def test_form_is_sent_in_utf_8(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer()))
    caller(server.url).pay(Request("POST", "/", form={"platform": "验", "a": "1 2"}))
    assert server.requests[0].endswith(b"\r\n\r\nplatform=%E9%AA%8C&a=1+2")


def test_json_is_sent_in_ascii(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer()))
    caller(server.url).pay(Request("POST", "/", json={"text": "验"}))
    assert server.requests[0].endswith(b'\r\n\r\n{"text": "\\u9a8c"}')


def test_post_without_a_body_has_a_content_length(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer()))
    caller(server.url).pay(Request("POST", "/order/1/cancel"))
    assert b"\r\nContent-Length: 0\r\n" in server.requests[0]


def test_user_agent_names_the_portal(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer()))
    caller(server.url).read()
    assert b"\r\nUser-Agent: smsportal/" in server.requests[0]


def test_header_of_the_client_is_sent(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer()))
    caller(server.url).read(Request("GET", "/", headers={"Authorization": "Bearer ch_1"}))
    assert b"\r\nAuthorization: Bearer ch_1\r\n" in server.requests[0]


def test_cookies_are_not_kept(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer(headers=("Set-Cookie: session=1; Path=/",))))
    made = caller(server.url)
    made.read()
    made.read()
    assert b"cookie" not in server.requests[1].lower()


# --- the environment -------------------------------------------------------


def test_proxy_from_the_environment_is_not_used(
    serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(always(answer(b'{"from": "proxy"}')))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server = serve(always(answer()))
    caller(server.url).read()
    assert proxy.connections == 0


def test_netrc_file_is_not_read(
    serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(always(answer()))
    caller(server.url).read()
    assert b"authorization" not in server.requests[0].lower()


def test_certificates_from_the_environment_are_not_trusted(
    serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch, certificate: Certificate
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate.path)
    monkeypatch.setenv("CURL_CA_BUNDLE", certificate.path)
    server = serve(always(answer()), tls=certificate.context)
    with pytest.raises(NotDone):
        caller(server.url).pay()


# --- TLS and names ---------------------------------------------------------


def test_trusted_certificate_is_accepted(
    serve: Serve, caller: MakeCaller, certificate: Certificate
) -> None:
    server = serve(always(answer(b'{"a": 1}')), tls=certificate.context)
    assert caller(server.url, ca_bundle=certificate.path).pay() == {"a": 1}


def test_certificate_of_another_host_is_rejected(
    serve: Serve, caller: MakeCaller, other_certificate: Certificate
) -> None:
    server = serve(always(answer()), tls=other_certificate.context)
    with pytest.raises(NotDone):
        caller(server.url, ca_bundle=other_certificate.path).pay()


def test_certificate_is_checked_against_the_name_not_the_address(
    serve: Serve, caller: MakeCaller, other_certificate: Certificate, names: Names
) -> None:
    server = serve(always(answer(b'{"a": 1}')), tls=other_certificate.context)
    names["other.example"] = ["127.0.0.1"]
    url = f"https://other.example:{server.port}"
    assert caller(url, ca_bundle=other_certificate.path).pay() == {"a": 1}


def test_name_that_resolves_to_a_private_address_is_not_connected_to(
    serve: Serve, caller: MakeCaller, names: Names
) -> None:
    server = serve(always(answer()))
    names["rebinding.example"] = ["127.0.0.1"]
    with pytest.raises(NotDone) as raised:
        caller(
            f"http://rebinding.example:{server.port}", policy=AddressPolicy(allow_http=True)
        ).pay()
    assert (raised.value.reason, server.connections) == (Reason.FORBIDDEN_ADDRESS, 0)


def test_name_is_resolved_once_per_connection(
    serve: Serve, caller: MakeCaller, names: Names
) -> None:
    server = serve(always(answer()))
    names["provider.example"] = ["127.0.0.1"]
    caller(f"http://provider.example:{server.port}").pay()
    assert names.lookups == ["provider.example"]


def test_next_address_is_tried_if_the_first_refuses(
    serve: Serve, caller: MakeCaller, names: Names
) -> None:
    server = serve(always(answer(b'{"a": 1}')))
    names["provider.example"] = ["::1", "127.0.0.1"]
    assert caller(f"http://provider.example:{server.port}").pay() == {"a": 1}


def test_host_header_names_the_host(serve: Serve, caller: MakeCaller, names: Names) -> None:
    server = serve(always(answer()))
    names["provider.example"] = ["127.0.0.1"]
    caller(f"http://provider.example:{server.port}").pay()
    assert f"\r\nHost: provider.example:{server.port}\r\n".encode() in server.requests[0]
