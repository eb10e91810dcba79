"""Faults before the first byte: nothing happened, for certain."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from providers.gateway.call import Request
from providers.gateway.errors import NotDone
from providers.gateway.http.client import AddressPolicy, Deadlines
from providers.gateway.vocabulary import Reason

from .callers import Certificate, MakeCaller, Serve
from .raw_server import Peer, always, answer


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_refused_connection_is_not_done(caller: MakeCaller) -> None:
    with pytest.raises(NotDone) as raised:
        caller(f"http://127.0.0.1:{closed_port()}").pay()
    assert raised.value.reason is Reason.CONNECTION_REFUSED


def test_nonexistent_name_is_not_done(caller: MakeCaller) -> None:
    with pytest.raises(NotDone) as raised:
        caller("http://provider.invalid").pay()
    assert raised.value.reason is Reason.NAME_NOT_FOUND


def test_unresolvable_host_name_is_not_done(caller: MakeCaller) -> None:
    with pytest.raises(NotDone) as raised:
        caller("http://" + "a" * 70 + ".example").pay()
    assert raised.value.reason is Reason.NAME_NOT_FOUND


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose connection queue is full, so that no further connection is made."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for each in waiting:
            each.close()


def test_connection_timeout_is_not_done(caller: MakeCaller, full_port: int) -> None:
    with pytest.raises(NotDone) as raised:
        caller(f"http://127.0.0.1:{full_port}", deadlines=Deadlines(0.2, 0.2, 5)).pay()
    assert raised.value.reason is Reason.CONNECT_TIMED_OUT


def test_failed_tls_handshake_is_not_done(serve: Serve, caller: MakeCaller) -> None:
    server = serve(lambda peer: peer.send(b"this is no TLS\r\n\r\n"))
    with pytest.raises(NotDone) as raised:
        caller(server.url.replace("http:", "https:")).pay()
    assert raised.value.reason is Reason.NO_TLS


def test_hanging_tls_handshake_is_not_done(serve: Serve, caller: MakeCaller) -> None:
    server = serve(Peer.stay_silent)
    with pytest.raises(NotDone) as raised:
        caller(server.url.replace("http:", "https:")).pay()
    assert raised.value.reason is Reason.CONNECT_TIMED_OUT


def test_untrusted_certificate_is_not_done(
    serve: Serve, caller: MakeCaller, certificate: Certificate
) -> None:
    server = serve(always(answer()), tls=certificate.context)
    with pytest.raises(NotDone) as raised:
        caller(server.url).pay()
    assert raised.value.reason is Reason.CERT_SELF_SIGNED


def test_private_address_is_not_done_and_not_contacted(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer()))
    with pytest.raises(NotDone) as raised:
        caller(server.url, policy=AddressPolicy(allow_http=True)).pay()
    assert (raised.value.reason, server.connections) == (Reason.FORBIDDEN_ADDRESS, 0)


def test_forbidden_plain_http_is_not_done(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer()))
    with pytest.raises(NotDone) as raised:
        caller(server.url, policy=AddressPolicy(allow_private=True)).pay()
    assert (raised.value.reason, server.connections) == (Reason.FORBIDDEN_ADDRESS, 0)


@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", "/", json={"amount": object()}),
        Request("POST", "/", form={"text": "\ud800"}),
        Request("POST", "/", headers={"Authorization": "Bearer a\r\nX: y"}),
        Request("POST", "/", headers={"Authorization": "Bearer 验"}),
    ],
    ids=["json", "lone surrogate", "line break in a header", "header beyond latin-1"],
)
def test_unencodable_request_is_not_done(
    serve: Serve, caller: MakeCaller, request_: Request
) -> None:
    server = serve(always(answer()))
    with pytest.raises(NotDone) as raised:
        caller(server.url).pay(request_)
    assert (raised.value.reason, server.requests) == (Reason.PORTAL_FAULT, [])


def test_path_cannot_become_part_of_the_host(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer()))
    with pytest.raises(NotDone):
        caller(server.url).pay(Request("POST", "0/send"))
    assert server.connections == 0
