"""What a fault means out there: nothing began, or nobody knows."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from providers.gateway.answers import judge_status
from providers.gateway.call import Request
from providers.gateway.errors import GatewayError, NotDone, OutcomeUnknown, Refused
from providers.gateway.vocabulary import Outcome, Reason
from providers.gateway.wire import AddressPolicy, Deadlines

from .calling import CONFIRMED, POST, Certificate, MakeCaller, Serve, understand
from .raw_server import Behaviour, Peer, always, answer, once


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_an_answer_is_given_to_the_client_and_its_reading_is_returned(
    serve: Serve, caller: MakeCaller
) -> None:
    server = serve(always(answer(b'{"status":"S"}')))
    assert caller(server.url).pay() == {"status": "S"}


# --- before the first byte -------------------------------------------------


def test_a_refused_connection_is_not_done(caller: MakeCaller) -> None:
    with pytest.raises(NotDone) as raised:
        caller(f"http://127.0.0.1:{closed_port()}").pay()
    assert raised.value.reason is Reason.UNREACHABLE


def test_a_name_that_does_not_exist_is_not_done(caller: MakeCaller) -> None:
    with pytest.raises(NotDone) as raised:
        caller("http://provider.invalid").pay()
    assert raised.value.reason is Reason.UNREACHABLE


def test_a_host_name_that_no_resolver_takes_is_not_done(caller: MakeCaller) -> None:
    with pytest.raises(NotDone) as raised:
        caller("http://" + "a" * 70 + ".example").pay()
    assert raised.value.reason is Reason.UNREACHABLE


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full, so that no further one is made."""
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


def test_a_connection_that_is_never_made_is_not_done(caller: MakeCaller, deaf_port: int) -> None:
    with pytest.raises(NotDone) as raised:
        caller(f"http://127.0.0.1:{deaf_port}", deadlines=Deadlines(0.2, 0.2, 5)).pay()
    assert raised.value.reason is Reason.UNREACHABLE


def test_a_tls_handshake_that_fails_is_not_done(serve: Serve, caller: MakeCaller) -> None:
    server = serve(lambda peer: peer.send(b"this is no TLS\r\n\r\n"))
    with pytest.raises(NotDone) as raised:
        caller(server.url.replace("http:", "https:")).pay()
    assert raised.value.reason is Reason.UNREACHABLE


def test_a_tls_handshake_that_hangs_is_not_done(serve: Serve, caller: MakeCaller) -> None:
    server = serve(Peer.say_nothing)
    with pytest.raises(NotDone) as raised:
        caller(server.url.replace("http:", "https:")).pay()
    assert raised.value.reason is Reason.UNREACHABLE


def test_a_certificate_that_is_not_trusted_is_not_done(
    serve: Serve, caller: MakeCaller, certificate: Certificate
) -> None:
    server = serve(always(answer()), tls=certificate.context)
    with pytest.raises(NotDone) as raised:
        caller(server.url).pay()
    assert raised.value.reason is Reason.UNREACHABLE


def test_a_private_address_is_not_done_and_not_contacted(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer()))
    with pytest.raises(NotDone) as raised:
        caller(server.url, policy=AddressPolicy(allow_http=True)).pay()
    assert (raised.value.reason, server.connections) == (Reason.FORBIDDEN_ADDRESS, 0)


def test_plain_http_is_not_done_where_it_is_not_allowed(serve: Serve, caller: MakeCaller) -> None:
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
def test_a_request_that_cannot_be_written_is_not_done(
    serve: Serve, caller: MakeCaller, request_: Request
) -> None:
    server = serve(always(answer()))
    with pytest.raises(NotDone) as raised:
        caller(server.url).pay(request_)
    assert (raised.value.reason, server.requests) == (Reason.PORTAL_FAULT, [])


# --- after the first byte --------------------------------------------------


def reset_before_accepting() -> int:
    """A port that resets its first connection without ever accepting it."""
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]

    def close_when_called() -> None:
        select.select([listener], [], [], 5)
        time.sleep(0.1)
        listener.close()

    threading.Thread(target=close_when_called, daemon=True).start()
    return port


def test_a_reset_before_the_server_accepts_is_unknown(caller: MakeCaller) -> None:
    with pytest.raises(OutcomeUnknown) as raised:
        caller(f"http://127.0.0.1:{reset_before_accepting()}").pay()
    assert raised.value.reason is Reason.CUT_OFF


def reset_after_reading(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


def close_after_reading(peer: Peer) -> None:
    peer.read_request()


def silent_after_reading(peer: Peer) -> None:
    peer.read_request()
    peer.say_nothing()


def trickle_headers(peer: Peer) -> None:
    peer.read_request()
    peer.trickle(b"HTTP/1.1 200 OK\r\n" + b"X-More: yes\r\n" * 20, 0.03)


def trickle_body(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    peer.trickle(b"x" * 100, 0.03)


def trickle_body_without_length(peer: Peer) -> None:
    peer.read_request()
    peer.send(b'HTTP/1.1 200 OK\r\n\r\n{"a":')
    peer.trickle(b" " * 100, 0.03)


def endless_headers(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\n")
    while not peer.closing.is_set():
        peer.send(b"X-More: yes\r\n")


AFTER_THE_FIRST_BYTE = {
    "reset after reading": (reset_after_reading, Reason.CUT_OFF),
    "closed after reading": (close_after_reading, Reason.CUT_OFF),
    "no answer": (silent_after_reading, Reason.TIMED_OUT),
    "headers one byte at a time": (trickle_headers, Reason.TIMED_OUT),
    "body one byte at a time": (trickle_body, Reason.TIMED_OUT),
    "body without length, one byte at a time": (trickle_body_without_length, Reason.TIMED_OUT),
    "endless headers": (endless_headers, Reason.UNREADABLE),
    "1 MB header": (
        once(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1_000_000 + b"\r\n\r\n"),
        Reason.UNREADABLE,
    ),
    "no HTTP at all": (once(b"220 mail.example ESMTP\r\n"), Reason.UNREADABLE),
    "two lengths": (
        once(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} "),
        Reason.UNREADABLE,
    ),
    "shorter than its length": (
        once(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"),
        Reason.CUT_OFF,
    ),
    "garbage for a chunk size": (
        once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
        Reason.UNREADABLE,
    ),
    "negative chunk size": (
        once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n"),
        Reason.UNREADABLE,
    ),
    "chunks that stop": (
        once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
        Reason.CUT_OFF,
    ),
    "too long": (once(answer(b"x" * (1024 * 1024 + 1))), Reason.UNREADABLE),
    "an encoding nobody asked for": (
        once(answer(b"x", headers=("Content-Encoding: br",))),
        Reason.UNREADABLE,
    ),
    "no gzip where gzip is said": (
        once(answer(b"{}{}{}", headers=("Content-Encoding: gzip",))),
        Reason.UNREADABLE,
    ),
}


@pytest.mark.parametrize(
    ("behaviour", "reason"), AFTER_THE_FIRST_BYTE.values(), ids=AFTER_THE_FIRST_BYTE
)
def test_a_fault_after_the_first_byte_is_unknown(
    serve: Serve, caller: MakeCaller, behaviour: Behaviour, reason: Reason
) -> None:
    server = serve(behaviour)
    with pytest.raises(OutcomeUnknown) as raised:
        caller(server.url).pay()
    assert raised.value.reason is reason


def break_tls_after_reading(peer: Peer) -> None:
    peer.read_request()
    with socket.socket(fileno=peer.socket.detach()) as bare:
        bare.sendall(b"no TLS from here on" * 10)
        bare.shutdown(socket.SHUT_WR)
        bare.recv(1)


def test_tls_that_breaks_after_the_whole_request_was_read_is_unknown(
    serve: Serve, caller: MakeCaller, certificate: Certificate
) -> None:
    server = serve(break_tls_after_reading, tls=certificate.context)
    with pytest.raises(OutcomeUnknown) as raised:
        caller(server.url, ca_bundle=certificate.path).pay()
    assert (raised.value.reason, len(server.requests)) == (Reason.CUT_OFF, 1)


def test_an_unknown_outcome_is_never_tried_again(serve: Serve, caller: MakeCaller) -> None:
    server = serve(close_after_reading)
    made = caller(server.url)
    with pytest.raises(OutcomeUnknown):
        made.pay()
    assert (len(server.requests), made.sleeps) == (1, [])


def test_a_cancel_is_made_once_too(serve: Serve, caller: MakeCaller) -> None:
    server = serve(close_after_reading)
    with pytest.raises(OutcomeUnknown):
        caller(server.url).wire.perform(CONFIRMED, POST, understand)
    assert len(server.requests) == 1


def test_an_answer_before_the_whole_request_was_read_is_an_answer(
    serve: Serve, caller: MakeCaller
) -> None:
    def impatient(peer: Peer) -> None:
        peer.socket.recv(10)
        peer.send(answer(b"no", status="413 Content Too Large"))
        peer.socket.shutdown(socket.SHUT_WR)
        while peer.socket.recv(65536):
            pass

    server = serve(impatient)
    with pytest.raises(Refused):
        caller(server.url).pay(Request("POST", "/", form={"text": "x" * 500_000}))


# --- answers ---------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(serve: Serve, caller: MakeCaller, status: int) -> None:
    target = serve(always(answer()))
    location = f"Location: {target.url}/elsewhere"
    server = serve(always(answer(b"", status=f"{status} Moved", headers=(location,))))
    with pytest.raises(GatewayError) as raised:
        caller(server.url).pay()
    assert (raised.value.reason, target.connections) == (Reason.REDIRECTED, 0)


def test_a_redirect_to_nonsense_is_still_only_a_redirect(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer(b"", status="301 Moved", headers=("Location: http://[",))))
    with pytest.raises(NotDone) as raised:
        caller(server.url).pay()
    assert raised.value.reason is Reason.REDIRECTED


def test_the_error_carries_the_http_status(serve: Serve, caller: MakeCaller) -> None:
    server = serve(always(answer(b"<html>", status="502 Bad Gateway")))
    with pytest.raises(OutcomeUnknown) as raised:
        caller(server.url).pay()
    assert raised.value.http_status == 502


def test_a_defect_of_the_client_leaves_a_paid_call_unknown(
    serve: Serve, caller: MakeCaller
) -> None:
    def faulty(answer_: object) -> None:
        raise KeyError("order_id")

    server = serve(always(answer()))
    with pytest.raises(OutcomeUnknown) as raised:
        caller(server.url).pay(understand=faulty)
    assert raised.value.reason is Reason.PORTAL_FAULT


def test_a_defect_of_the_client_leaves_a_read_not_done(serve: Serve, caller: MakeCaller) -> None:
    def faulty(answer_: object) -> None:
        raise RecursionError

    server = serve(always(answer()))
    with pytest.raises(NotDone) as raised:
        caller(server.url).read(understand=faulty)
    assert raised.value.reason is Reason.PORTAL_FAULT


def test_a_limiter_that_fails_leaves_the_call_not_done(
    serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(operation: object) -> None:
        raise RuntimeError("no database")

    server = serve(always(answer()))
    made = caller(server.url)
    monkeypatch.setattr(made.limiter, "wait", fail)
    with pytest.raises(NotDone):
        made.pay()
    assert server.connections == 0


# --- what stops the thread -------------------------------------------------


def test_a_thread_that_is_stopped_in_the_middle_is_recorded_as_unknown(
    serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        raise SystemExit

    monkeypatch.setattr("providers.gateway.wire.read_body", stop)
    made = caller(serve(always(answer())).url)
    with pytest.raises(SystemExit):
        made.pay()
    assert [record.outcome for record in made.records] == [Outcome.UNKNOWN]


def test_a_thread_that_is_stopped_before_the_call_is_recorded_as_not_done(
    serve: Serve, caller: MakeCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    made = caller(serve(always(answer())).url)
    monkeypatch.setattr("providers.gateway.connection.resolve", stop)
    with pytest.raises(KeyboardInterrupt):
        made.pay()
    assert [record.outcome for record in made.records] == [Outcome.NOT_DONE]


def test_a_call_made_while_another_error_is_handled_is_judged_by_its_own(
    serve: Serve, caller: MakeCaller
) -> None:
    server = serve(close_after_reading)
    made = caller(server.url)
    try:
        raise TimeoutError
    except TimeoutError:
        with pytest.raises(OutcomeUnknown) as raised:
            made.pay(understand=judge_status)
    assert raised.value.reason is Reason.CUT_OFF
