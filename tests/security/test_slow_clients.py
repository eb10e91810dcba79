"""Slow clients hold no web thread: neither with a head, nor a body, nor an answer."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests
from django.conf import settings as django_settings

from smsportal.environment import BASE_DIR
from smsportal.held_socket import MAX_UNSENT, HeldSocket
from smsportal.request_intake import MAX_HEAD, RequestIntake
from smsportal.request_queue import MAX_WAITING, Lane, RequestQueue, lane_of
from tests.canary.portals import database_url
from tests.support.wait_until import wait_until

THREADS = 4
SLOW = 8 * THREADS
GET = b"GET /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def intake_of(data: bytes, step: int = 0, max_body: int = 1_000) -> RequestIntake:
    intake = RequestIntake(max_body)
    for at in range(0, len(data), step or len(data)):
        intake.feed(data[at : at + (step or len(data))])
    return intake


class TestIntake:
    """Where a request ends."""

    COMPLETE = {
        "no body": GET + b"\r\n",
        "a body of known length": POST + b"Content-Length: 5\r\n\r\nhello",
        "an empty body": POST + b"Content-Length: 0\r\n\r\n",
        "chunks": CHUNKED + b"5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n",
        "chunks and trailers": CHUNKED + b"5\r\nhello\r\n0\r\nX: y\r\nZ: 1\r\n\r\n",
        "chunks that look like the end": CHUNKED + b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
    }

    @pytest.mark.parametrize("step", [0, 1, 7])
    @pytest.mark.parametrize("kind", COMPLETE)
    def test_complete_request_is_found_however_it_arrives(self, kind: str, step: int) -> None:
        data = self.COMPLETE[kind]
        intake = intake_of(data, step)
        assert intake.is_complete
        assert not intake.is_cut
        assert intake.read(10_000) == data
        assert intake.read(10_000) == b""

    @pytest.mark.parametrize("kind", COMPLETE)
    def test_request_without_its_last_byte_waits(self, kind: str) -> None:
        assert not intake_of(self.COMPLETE[kind][:-1], 3).is_complete

    @pytest.mark.parametrize("kind", COMPLETE)
    def test_next_request_is_kept_apart(self, kind: str) -> None:
        data = self.COMPLETE[kind]
        intake = intake_of(data + GET)
        assert (intake.read(10_000), intake.excess) == (data, GET)
        intake.feed(b"\r\n")
        assert intake.excess == GET + b"\r\n"

    @pytest.mark.parametrize(
        "data",
        [
            GET + b"X: " + b"x" * MAX_HEAD,
            POST + b"Content-Length: 1001\r\n\r\nhello",
            POST + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\nhello",
            POST + b"Content-Length: -1\r\n\r\nhello",
            POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            CHUNKED + b"x\r\nhello\r\n0\r\n\r\n",
            CHUNKED + b"5" + b" " * 2_000 + b"\r\nhello",
            CHUNKED + b"0\r\n" + b"X: y\r\n" * 300,
            CHUNKED + b"fffff\r\n" + b"x" * (MAX_HEAD + 2_000),
        ],
    )
    def test_what_has_no_certain_end_ends_and_nothing_follows(self, data: bytes) -> None:
        intake = intake_of(data)
        assert intake.is_complete
        assert intake.is_cut
        assert intake.excess == b""
        intake.close()

    def test_who_waits_for_a_word_before_the_body_is_noticed(self) -> None:
        head = POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        assert intake_of(head).wants_continue
        assert not intake_of(head + b"hello").wants_continue


class TestQueue:
    """Which complete request gets a thread."""

    def running(self, queue: RequestQueue[str]) -> list[str]:
        return list(iter(queue.take, None))

    def test_one_address_leaves_threads_to_the_others(self) -> None:
        queue = RequestQueue[str](8)
        for number in range(20):
            queue.add(f"a{number}", Lane("a"))
        assert len(self.running(queue)) == 4
        queue.add("b", Lane("b"))
        assert self.running(queue) == ["b"]

    def test_the_address_with_the_fewest_is_next(self) -> None:
        queue = RequestQueue[str](3)
        for name in ("a1", "a2", "b1"):
            queue.add(name, Lane(name[0]))
        queue = RequestQueue[str](4)
        queue.add("a1", Lane("a"))
        assert queue.take() == "a1"
        queue.add("a2", Lane("a"))
        queue.add("b1", Lane("b"))
        assert queue.take() == "b1"

    def test_password_checks_wait_without_a_thread(self) -> None:
        queue = RequestQueue[str](8)
        for number in range(32):
            queue.add(f"s{number}", Lane(f"address{number}", checks_password=True))
        assert self.running(queue) == ["s0"]
        queue.add("page", Lane("staff"))
        assert self.running(queue) == ["page"]
        queue.finished("s0")
        assert self.running(queue) == ["s1"]

    def test_greediest_address_is_refused_when_too_many_wait(self) -> None:
        queue = RequestQueue[str](1)
        queue.add("staff", Lane("b"))
        for number in range(MAX_WAITING - 1):
            assert queue.add(f"a{number}", Lane("a")) is None
        assert queue.add("late staff", Lane("b")) == f"a{MAX_WAITING - 2}"

    @pytest.mark.parametrize(
        ("head", "is_check"),
        [
            (POST + b"\r\n", True),
            (POST.replace(b"/login/", b"/password_change/?x=y") + b"\r\n", True),
            (GET + b"\r\n", False),
            (POST.replace(b"/login/", b"/messaging/message/") + b"\r\n", False),
        ],
    )
    def test_password_checks_are_recognised(self, head: bytes, is_check: bool) -> None:
        assert lane_of(intake_of(head).head, "a", "session").checks_password == is_check

    def test_strangers_share_two_threads(self) -> None:
        queue = RequestQueue[str](8)
        for number in range(32):
            queue.add(f"s{number}", Lane(f"address{number}", is_stranger=True))
        assert self.running(queue) == ["s0", "s1"]
        queue.add("page", Lane("staff"))
        assert self.running(queue) == ["page"]

    @pytest.mark.parametrize(
        ("head", "is_stranger"),
        [
            (GET + b"\r\n", True),
            (GET + b"Cookie: a=b; session=x\r\n\r\n", False),
            (GET + b"Cookie: a=session; not_session=x\r\n\r\n", True),
            (POST.replace(b"/login/", b"/callbacks/x/") + b"\r\n", False),
        ],
    )
    def test_strangers_are_recognised(self, head: bytes, is_stranger: bool) -> None:
        assert lane_of(intake_of(head).head, "a", "session").is_stranger == is_stranger


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
        monkeypatch.setattr("smsportal.held_socket.MAX_SILENCE", 0.05)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            held = HeldSocket(ours, 1_000, 30)
            held.sendall(bytes(MAX_UNSENT))
            with pytest.raises(ConnectionResetError):
                held.sendall(bytes(MAX_UNSENT))

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
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": "",
        "DATA_DIR": str(tmp_path_factory.mktemp("web")),
        "STATE_DIR": str(tmp_path_factory.mktemp("state")),
        "DATABASE_URL": database_url(),
        "SECRET_KEY": django_settings.SECRET_KEY,
        "SECRETS_KEYS": ",".join(django_settings.SECRETS_KEYS),
        "BIND": f"127.0.0.1:{port}",
        "WEB_PROCESSES": "1",
        "WEB_THREADS": str(THREADS),
        "REQUEST_SECONDS": "300",
        "STATIC_ROOT": str(tmp_path_factory.mktemp("static")),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", str(BASE_DIR / "gunicorn.conf.py")],
        env=environment,
        cwd=BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_ready(port), at_most=60)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def is_ready(port: int) -> bool:
    with contextlib.suppress(OSError):
        return answers(port)
    return False


def answers(port: int) -> bool:
    """Whether a wrong callback address is refused. After some of them, the refusal is another."""
    url = f"http://127.0.0.1:{port}/callbacks/x/"
    return requests.get(url, timeout=30).status_code in (404, 429)


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

    def test_body_that_is_too_long_is_refused_without_being_read(self, server: int) -> None:
        length = 3 * django_settings.BATCH_MEGABYTES * 1024 * 1024
        head = POST.replace(b"/login/", b"/callbacks/x/") + f"Content-Length: {length}".encode()
        with socket.create_connection(("127.0.0.1", server), timeout=30) as client:
            client.sendall(head + b"\r\n\r\n" + bytes(1_000))
            assert client.recv(1_000).startswith((b"HTTP/1.1 404", b"HTTP/1.1 429"))
