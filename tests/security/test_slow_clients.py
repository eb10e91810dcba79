"""Slow clients hold no web thread: neither with a head, nor a body, nor an answer."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings

from smsportal.web_server.held_socket import MAX_UNSENT, HeldSocket
from tests.support.web_server import answers, run_web_server

THREADS = 4
SLOW = 8 * THREADS
GET = b"GET /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


class TestHeldSocket:
    def test_answer_is_kept_for_a_client_that_does_not_read(self) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            held = HeldSocket(ours, 1_000, 30)
            answer = os.urandom(MAX_UNSENT)
            # Does not wait, although the client takes nothing.
            held.sendall(answer)
            assert held.unsent
            taken = b""
            while len(taken) < len(answer):
                taken += theirs.recv(100_000)
                held.flush()
            assert taken == answer

    def test_endless_answer_to_a_client_that_does_not_read_ends(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("smsportal.web_server.held_socket.MAX_SILENCE", 0.05)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            held = HeldSocket(ours, 1_000, 30)
            held.sendall(bytes(MAX_UNSENT))
            with pytest.raises(ConnectionResetError):
                held.sendall(bytes(MAX_UNSENT))

    def test_client_has_given_up_only_after_a_while_and_no_report_is_dropped(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for path, dropped in ((b"/login/", True), (b"/callbacks/x/", False)):
            ours, theirs = socket.socketpair()
            with ours:
                held = HeldSocket(ours, 1_000, 30)
                theirs.sendall(b"GET " + path + b" HTTP/1.1\r\n\r\n")
                theirs.close()
                assert held.collect()
                assert not held.is_abandoned
                with monkeypatch.context() as patch:
                    patch.setattr("smsportal.web_server.held_socket.PATIENCE", -1)
                    assert held.is_abandoned is dropped

    def test_client_that_left_is_noticed(self) -> None:
        ours, theirs = socket.socketpair()
        with ours:
            held = HeldSocket(ours, 1_000, 30)
            assert not held.peer_has_gone()
            theirs.close()
            assert held.peer_has_gone()


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a web server with few threads and much time for each request."""
    folder = tmp_path_factory.mktemp("web")
    with run_web_server(folder, threads=THREADS, request_seconds=300) as port:
        yield port


BEGINNINGS = {
    "nothing": b"",
    "a head": GET,
    "a body": POST + b"Content-Length: 100\r\n\r\n{",
    "a chunk": CHUNKED + b"ff\r\n{",
    "a large body": POST + b"Content-Length: 20000000\r\n\r\n" + bytes(100_000),
}


@pytest.mark.django_db(transaction=True)
class TestServer:
    @pytest.mark.parametrize("kind", BEGINNINGS)
    def test_unfinished_requests_hold_no_thread(self, server: int, kind: str) -> None:
        """The pages answer although all of these may go on for minutes."""
        with contextlib.ExitStack() as connections:
            slow = [
                connections.enter_context(socket.create_connection(("127.0.0.1", server)))
                for _ in range(SLOW)
            ]
            for one in slow:
                one.sendall(BEGINNINGS[kind])
            for _ in range(2 * THREADS):
                assert answers(server)
            # They are unfinished still: nobody was sent away to make this possible.
            for one in slow:
                one.setblocking(False)
                with pytest.raises(BlockingIOError):
                    one.recv(1)

    def test_clients_that_do_not_close_hold_nothing(self, server: int) -> None:
        with contextlib.ExitStack() as connections:
            for _ in range(SLOW):
                one = socket.create_connection(("127.0.0.1", server), timeout=30)
                connections.enter_context(one)
                one.sendall(b"GET /callbacks/x/ HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            assert answers(server)

    def test_one_byte_at_a_time_is_answered_in_the_end(self, server: int) -> None:
        with socket.create_connection(("127.0.0.1", server), timeout=30) as client:
            for byte in b"GET /callbacks/x/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n":
                client.sendall(bytes([byte]))
            assert client.recv(1_000).startswith((b"HTTP/1.1 404", b"HTTP/1.1 429"))

    def test_pipelined_requests_are_answered_in_order(self, server: int) -> None:
        get = b"GET /callbacks/x/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        put = get.replace(b"GET", b"PUT").replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n{}")
        with socket.create_connection(("127.0.0.1", server), timeout=30) as client:
            client.sendall(put + get + get.replace(b"HTTP/1.1", b"HTTP/1.0"))
            received = b""
            while data := client.recv(10_000):
                received += data
        assert received.count(b"HTTP/1.1 4") + received.count(b"HTTP/1.0 4") == 3

    def test_word_before_the_body_is_given(self, server: int) -> None:
        head = POST.replace(b"/login/", b"/callbacks/x/") + b"Expect: 100-continue\r\n"
        with socket.create_connection(("127.0.0.1", server), timeout=30) as client:
            client.sendall(head + b"Connection: close\r\nContent-Length: 2\r\n\r\n")
            assert client.recv(1_000).startswith(b"HTTP/1.1 100")
            client.sendall(b"{}")
            received = b""
            while data := client.recv(10_000):
                received += data
        assert b"HTTP/1.1 4" in received

    def test_word_before_the_body_is_given_once_and_to_each_request(self, server: int) -> None:
        get = b"GET /callbacks/x/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        head = POST.replace(b"/login/", b"/callbacks/x/") + b"Expect: 100-continue\r\n"
        with socket.create_connection(("127.0.0.1", server), timeout=30) as client:
            # The second head comes with the first request.
            client.sendall(get + head + b"Connection: close\r\nContent-Length: 2\r\n\r\n")
            received = b""
            while b"HTTP/1.1 100" not in received:
                received += client.recv(10_000)
            client.sendall(b"{}")
            while data := client.recv(10_000):
                received += data
        assert received.count(b"HTTP/1.1 100") == 1
        assert received.count(b"HTTP/1.1 4") == 2

    @pytest.mark.parametrize("method", [b"GET", b"POST"])
    def test_who_has_only_closed_their_own_direction_is_answered(
        self, server: int, method: bytes
    ) -> None:
        request = POST.replace(b"POST /login/", method + b" /callbacks/x/")
        with socket.create_connection(("127.0.0.1", server), timeout=30) as client:
            client.sendall(request + b"Content-Length: 2\r\n\r\n{}")
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1_000).startswith((b"HTTP/1.1 404", b"HTTP/1.1 429"))

    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            (POST + b"Content-Length: " + b"0" * 5_000 + b"5\r\n\r\nhello", None),
            (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", b"400"),
            (CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"), b"400"),
            (POST + b"Content-Length : 2\r\n\r\n{}", b"400"),
        ],
    )
    def test_request_that_nobody_understands_is_answered_and_ends_nothing(
        self, server: int, request_: bytes, status: bytes | None
    ) -> None:
        with socket.create_connection(("127.0.0.1", server), timeout=30) as other:
            # On a connection to the same process: it answers still.
            other.sendall(GET)
            with socket.create_connection(("127.0.0.1", server), timeout=30) as client:
                client.sendall(request_)
                received = b""
                with contextlib.suppress(ConnectionResetError):
                    while data := client.recv(10_000):
                        received += data
            if status is not None:
                assert received.startswith(b"HTTP/1.1 " + status)
            other.sendall(b"Connection: close\r\n\r\n")
            assert other.recv(1_000).startswith(b"HTTP/1.1 ")

    def test_body_that_is_too_long_is_refused_without_being_read(self, server: int) -> None:
        length = 3 * django_settings.BATCH_MEGABYTES * 1024 * 1024
        head = POST.replace(b"/login/", b"/callbacks/x/") + f"Content-Length: {length}".encode()
        with socket.create_connection(("127.0.0.1", server), timeout=30) as client:
            client.sendall(head + b"\r\n\r\n" + bytes(1_000))
            assert client.recv(1_000).startswith((b"HTTP/1.1 404", b"HTTP/1.1 429"))
