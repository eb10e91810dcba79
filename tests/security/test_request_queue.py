"""Where a request ends, and which complete request gets a web thread."""

from __future__ import annotations

import pytest

from smsportal.web_server.request_intake import MAX_HEAD, RequestIntake
from smsportal.web_server.request_queue import MAX_WAITING, Lane, RequestQueue, lane_of

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

    @pytest.mark.parametrize("step", [0, 1, 3])
    def test_blank_lines_before_a_request_are_no_part_of_it(self, step: int) -> None:
        intake = intake_of(b"\r\n\r\n\r\n" + POST + b"Content-Length: 2\r\n\r\n{}", step)
        assert intake.is_complete
        assert intake.head is not None
        assert (intake.head.method, intake.head.path) == ("POST", "/login/")

    @pytest.mark.parametrize("trailers", [b"\n", b"A: b\n\r\n", b"A: b\n\n"])
    def test_trailers_with_bare_line_feeds_are_no_end(self, trailers: bytes) -> None:
        assert intake_of(CHUNKED + b"0\r\n" + trailers + GET).is_cut

    def test_endless_blank_lines_end(self) -> None:
        intake = intake_of(b"\r\n" * MAX_HEAD, 1_000)
        assert intake.is_complete
        assert intake.is_cut

    @pytest.mark.parametrize("zeros", [19, 5_000, 60_000])
    def test_length_of_very_many_digits_is_no_number(self, zeros: int) -> None:
        length = b"0" * zeros + b"5"
        intake = intake_of(POST + b"Content-Length: " + length + b"\r\n\r\nhello")
        assert intake.is_complete
        assert intake.is_cut

    @pytest.mark.parametrize(
        ("version", "sent", "wants"),
        [(b"1.1", b"", True), (b"1.1", b"{}", False), (b"1.0", b"", False)],
    )
    def test_who_waits_for_a_word(self, version: bytes, sent: bytes, wants: bool) -> None:
        head = POST.replace(b"1.1", version) + b"Expect: 100-Continue\r\nContent-Length: 2\r\n"
        assert intake_of(head + b"\r\n" + sent).wants_continue is wants

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


@pytest.mark.parametrize(
    "target",
    ["/login/", "/login/?next=/", "/login/#x", "/%6Cogin/", "//login/", "http://a.example/login/"],
)
@pytest.mark.parametrize("before", [b"", b"\r\n"])
def test_a_password_check_counts_as_one_however_its_address_is_written(
    target: str, before: bytes
) -> None:
    intake = intake_of(before + f"POST {target} HTTP/1.1\r\nCookie: s=x\r\n\r\n".encode())
    assert lane_of(intake.head, "192.0.2.1", "s").checks_password


@pytest.mark.parametrize(
    "target", ["/callbacks/x/", "http://a.example/callbacks/x/", "/%63allbacks/x/"]
)
def test_a_report_is_no_stranger_however_its_address_is_written(target: str) -> None:
    intake = intake_of(f"POST {target} HTTP/1.1\r\n\r\n".encode())
    assert not lane_of(intake.head, "192.0.2.1", "s").is_stranger
