"""The web server in its real configuration, with requests that no browser makes."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest
import requests

from providers.models import Account, Callback
from tests.factories.accounts import make_account
from tests.providers.callbacks.pushes import token_of
from tests.support.wait_until import wait_until
from tests.support.web_server import run_web_server

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 4


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a web server that gives up slow requests soon."""
    with run_web_server(tmp_path_factory.mktemp("web"), threads=THREADS, request_seconds=2) as port:
        yield port


@pytest.fixture
def account(server: int) -> Account:
    account = make_account("haorui")
    url = f"http://127.0.0.1:{server}/callbacks/{token_of(account)}/"
    # 405 means that the server knows the address.
    wait_until(lambda: requests.put(url, timeout=30).status_code == 405)
    return account


def head(account: Account, length: str) -> bytes:
    lines = [
        f"POST /callbacks/{token_of(account)}/ HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        length,
    ]
    return "\r\n".join(lines).encode()


def test_chunked_report_is_stored_completely(server: int, account: Account) -> None:
    with socket.create_connection(("127.0.0.1", server), timeout=30) as client:
        client.sendall(head(account, "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"))
        for part in (b'{"uid": "a', b'bc", "DLRStatus": "Delivered"}'):
            client.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        client.sendall(b"0\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    assert bytes(Callback.objects.get().body) == b'{"uid": "abc", "DLRStatus": "Delivered"}'


@pytest.mark.parametrize("sent", ["headers", "body"])
def test_slow_requests_do_not_block_others(server: int, account: Account, sent: str) -> None:
    begun = head(account, "Content-Length: 100")
    if sent == "body":
        begun += b"\r\n\r\n{"
    with contextlib.ExitStack() as connections:
        for _ in range(2 * THREADS):
            slow = socket.create_connection(("127.0.0.1", server), timeout=30)
            connections.enter_context(slow)
            slow.sendall(begun)
        url = f"http://127.0.0.1:{server}/callbacks/{token_of(account)}/"
        assert requests.post(url, json={"uid": "1"}, timeout=60).status_code == 200
    assert Callback.objects.count() == 1
