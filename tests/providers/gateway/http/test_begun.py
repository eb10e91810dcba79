"""Faults after the first byte: the outcome is unknown."""

from __future__ import annotations

import select
import socket
import threading
import time

import pytest

from providers.gateway.call import Request
from providers.gateway.errors import OutcomeUnknown, Refused
from providers.gateway.vocabulary import Reason

from .callers import CONFIRMED, POST, Certificate, MakeCaller, Serve, parse
from .raw_server import Behaviour, Peer, answer, once


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


def test_reset_before_the_server_accepts_is_unknown(caller: MakeCaller) -> None:
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
    peer.stay_silent()


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
    "an encoding that was not requested": (
        once(answer(b"x", headers=("Content-Encoding: br",))),
        Reason.UNREADABLE,
    ),
    "declared as gzip but plain": (
        once(answer(b"{}{}{}", headers=("Content-Encoding: gzip",))),
        Reason.UNREADABLE,
    ),
}


@pytest.mark.parametrize(
    ("behaviour", "reason"), AFTER_THE_FIRST_BYTE.values(), ids=AFTER_THE_FIRST_BYTE
)
def test_fault_after_the_first_byte_is_unknown(
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


def test_tls_failure_after_the_request_is_unknown(
    serve: Serve, caller: MakeCaller, certificate: Certificate
) -> None:
    server = serve(break_tls_after_reading, tls=certificate.context)
    with pytest.raises(OutcomeUnknown) as raised:
        caller(server.url, ca_bundle=certificate.path).pay()
    assert (raised.value.reason, len(server.requests)) == (Reason.CUT_OFF, 1)


def test_unknown_outcome_is_never_retried(serve: Serve, caller: MakeCaller) -> None:
    server = serve(close_after_reading)
    made = caller(server.url)
    with pytest.raises(OutcomeUnknown):
        made.pay()
    assert (len(server.requests), made.sleeps) == (1, [])


def test_cancel_is_made_once(serve: Serve, caller: MakeCaller) -> None:
    server = serve(close_after_reading)
    with pytest.raises(OutcomeUnknown):
        caller(server.url).http_client.call(CONFIRMED, POST, parse)
    assert len(server.requests) == 1


def test_early_answer_counts_as_an_answer(serve: Serve, caller: MakeCaller) -> None:
    def impatient(peer: Peer) -> None:
        peer.socket.recv(10)
        peer.send(answer(b"no", status="413 Content Too Large"))
        peer.socket.shutdown(socket.SHUT_WR)
        while peer.socket.recv(65536):
            pass

    server = serve(impatient)
    with pytest.raises(Refused):
        caller(server.url).pay(Request("POST", "/", form={"text": "x" * 500_000}))
