"""The server: connections, odd requests, the book, starting and stopping."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.book import Book, Entry
from sandbox.server import Sandbox, discover

from .conftest import Call

BALANCE = "/haosms/user/s_balance?api_key=practice-haosms-key"


def exchange(sandbox: Sandbox, data: bytes) -> bytes:
    """Send bytes, end the sending side, and read until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_providers_are_discovered() -> None:
    names = [provider.name for provider in discover()]
    assert names == ["gosms", "haorui", "haosms", "otpservice"]


def test_each_provider_has_its_own_base_url(sandbox: Sandbox) -> None:
    assert sandbox.base_url("gosms") == f"http://127.0.0.1:{sandbox.port}/gosms/api/v1"


def test_connection_serves_many_requests(sandbox: Sandbox) -> None:
    request = f"GET {BALANCE} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
    assert exchange(sandbox, request * 3).count(b"200 OK") == 3


def test_client_can_request_connection_close(sandbox: Sandbox) -> None:
    request = f"GET {BALANCE} HTTP/1.1\r\nConnection: close\r\n\r\n".encode()
    assert exchange(sandbox, request * 2).count(b"200 OK") == 1


def test_body_may_be_chunked(sandbox: Sandbox) -> None:
    head = b"POST /haosms/user/s_balance HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
    kind = b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    body = b"8\r\napi_key=\r\n13\r\npractice-haosms-key\r\n0\r\n\r\n"
    assert b'"True"' in exchange(sandbox, head + kind + body)


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 70000,
        b"POST /haosms/user/s_balance HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /haosms/user/s_balance HTTP/1.1\r\nContent-Length: 10\r\n\r\nshort",
        b"POST /haosms/user/s_balance HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_invalid_request_gets_400(sandbox: Sandbox, data: bytes) -> None:
    assert exchange(sandbox, data).startswith(b"HTTP/1.1 400")


def test_unknown_path_of_a_provider_is_recorded(
    sandbox: Sandbox, session: requests.Session
) -> None:
    session.get(sandbox.base_url("gosms") + "/api/v1/order", timeout=5)
    entry = sandbox.book.entries("gosms")[0]
    assert (entry.operation, entry.fields) == ("unknown", {"path": "/api/v1/order"})


def test_path_outside_the_providers_is_not_found(
    sandbox: Sandbox, session: requests.Session
) -> None:
    assert session.get(sandbox.url + "/favicon.ico", timeout=5).status_code == 404


def test_many_concurrent_clients_are_served(sandbox: Sandbox) -> None:
    def get_status(_: int) -> int:
        return requests.get(sandbox.url + BALANCE, timeout=10).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = set(pool.map(get_status, range(200)))
    assert statuses == {200}


def test_any_provider_can_have_a_rate_limit(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.change_settings("haosms", rate_per_minute=1)
    assert [otp_msg().status_code, otp_msg().status_code] == [200, 429]


def test_stop_may_be_called_twice() -> None:
    sandbox = Sandbox().start()
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox.url, timeout=5)


def test_stop_closes_idle_connections() -> None:
    sandbox = Sandbox().start()
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as client:
        client.sendall(f"GET {BALANCE} HTTP/1.1\r\n\r\n".encode())
        client.recv(65536)
        sandbox.stop()
        assert client.recv(1) == b""


def test_book_reports_a_message_accepted_twice(sandbox: Sandbox, send_sms: Call) -> None:
    send_sms(uid="once")
    send_sms(uid="twice")
    send_sms(uid="twice")
    assert sandbox.book.repeated("haorui") == ["twice"]


def test_book_does_not_count_a_refused_message_as_accepted(
    sandbox: Sandbox, send_sms: Call
) -> None:
    send_sms(uid="again", encoding="X")
    send_sms(uid="again")
    assert sandbox.book.repeated("haorui") == []


def test_full_book_keeps_its_counters() -> None:
    book = Book(size=2)
    for number in range(5):
        entry = Entry("call", "haosms", "otp_msg", reference=str(number), accepted=True)
        book.add(entry)
    assert (len(book.entries()), book.count("haosms", "otp_msg")) == (2, 5)


def test_book_knows_the_peak_of_calls_in_flight(sandbox: Sandbox, otp_msg: Call) -> None:
    otp_msg()
    otp_msg()
    assert sandbox.book.peak("haosms") == 1


COMMAND = """
import django.conf
django.conf.settings.configure()
from providers.management.commands.sandbox import Command
Command().run_from_argv(["manage.py", "sandbox", "--port", "0", "--sms-delay", "1.5"])
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_runs_until_a_signal(number: signal.Signals) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", COMMAND],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        ready = requests.get(address + "/_sandbox/state", timeout=5).status_code
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    assert (ready, process.returncode, errors) == (200, 0, "")


def test_alerts_are_accepted_and_kept_nowhere(sandbox: Sandbox) -> None:
    url = f"http://127.0.0.1:{sandbox.port}/_alerts/duty"
    before = len(sandbox.book.entries())
    assert requests.post(url, json={"title": "t"}, timeout=5).status_code == 200
    assert requests.get(url, timeout=5).status_code == 404
    assert len(sandbox.book.entries()) == before
