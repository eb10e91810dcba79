"""Faults of the connection, seen by an ordinary client and by a bare socket."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.server import Sandbox

from .conftest import Call

BALANCE = b"GET /haosms/user/s_balance?api_key=practice-haosms-key HTTP/1.1\r\nHost: h\r\n\r\n"


def connect(sandbox: Sandbox) -> socket.socket:
    return socket.create_connection(("127.0.0.1", sandbox.port), timeout=5)


def accepted(sandbox: Sandbox) -> int:
    return len(sandbox.book.entries("haosms", "otp_msg", accepted=True))


def test_slow_answer_is_complete(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("slow", seconds=0.05)
    assert otp_msg().json()["result"] == "成功"


def test_unanswered_request_is_accepted(sandbox: Sandbox, session: requests.Session) -> None:
    sandbox.fault("never_answers")
    with connect(sandbox) as client:
        client.sendall(BALANCE)
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)
    assert sandbox.book.count("haosms", "s_balance") == 1


@pytest.mark.parametrize(
    ("fault", "times"), [("reset_before", 0), ("reset_after", 1), ("closed_after", 1)]
)
def test_disconnect_proves_nothing_about_acceptance(
    sandbox: Sandbox, otp_msg: Call, fault: str, times: int
) -> None:
    sandbox.fault(fault)
    with pytest.raises(requests.ConnectionError):
        otp_msg()
    assert accepted(sandbox) == times


def test_disconnect_after_acceptance_is_a_tcp_reset(sandbox: Sandbox) -> None:
    sandbox.fault("reset_after")
    with connect(sandbox) as client:
        client.sendall(BALANCE)
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_acceptance_can_be_chosen(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("reset_after", accept=False)
    with pytest.raises(requests.ConnectionError):
        otp_msg()
    assert accepted(sandbox) == 0


@pytest.mark.parametrize("fault", ["trickled_headers", "trickled_body"])
def test_trickled_answer_arrives_completely(sandbox: Sandbox, otp_msg: Call, fault: str) -> None:
    sandbox.fault(fault, interval=0.0001)
    assert otp_msg().json()["result"] == "成功"


def test_trickled_headers_arrive_byte_by_byte(sandbox: Sandbox) -> None:
    sandbox.fault("trickled_headers", interval=0.01)
    with connect(sandbox) as client:
        client.sendall(BALANCE)
        assert client.recv(100) == b"H"


def test_endless_headers_last_until_the_client_disconnects(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("endless_headers")
    with pytest.raises(requests.ConnectionError, match="headers"):
        otp_msg()


def test_huge_header_exceeds_the_limit_of_a_client(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("huge_header")
    with pytest.raises(requests.ConnectionError, match="line"):
        otp_msg()


def test_server_closes_after_an_answer_without_notice(sandbox: Sandbox) -> None:
    sandbox.fault("keep_alive_closed")
    with connect(sandbox) as client:
        client.sendall(BALANCE)
        received = b"".join(iter(lambda: client.recv(65536), b""))
    assert b"close" not in received.lower()


def test_next_request_on_a_kept_connection_is_reset_unread(sandbox: Sandbox, otp_msg: Call) -> None:
    sandbox.fault("keep_alive_reset", operation="otp_msg", provider="haosms")
    otp_msg()
    with pytest.raises(requests.ConnectionError):
        otp_msg()
    assert accepted(sandbox) == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "practice")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[Sandbox]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Sandbox(tls=context) as running:
        yield running


def test_server_supports_tls(secure: Sandbox, session: requests.Session, certificate: Path) -> None:
    url = secure.base_url("haosms") + "/user/s_balance?api_key=practice-haosms-key"
    assert session.get(url, verify=str(certificate), timeout=5).json()["result"] == "True"


def test_tls_breaks_after_the_request_was_read(
    secure: Sandbox, session: requests.Session, certificate: Path
) -> None:
    secure.fault("tls_broken")
    url = secure.base_url("haosms") + "/user/s_balance"
    with pytest.raises(requests.exceptions.SSLError):
        session.post(
            url, data={"api_key": "practice-haosms-key"}, verify=str(certificate), timeout=5
        )
    assert secure.book.count("haosms", "s_balance") == 1


def test_client_that_breaks_the_handshake_is_disconnected(
    secure: Sandbox, session: requests.Session, certificate: Path
) -> None:
    with connect(secure) as client, contextlib.suppress(ConnectionResetError):
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        client.recv(1024)
    url = secure.base_url("haosms") + "/user/s_balance?api_key=practice-haosms-key"
    assert session.get(url, verify=str(certificate), timeout=5).status_code == 200


def test_stop_ends_an_unanswered_call() -> None:
    sandbox = Sandbox().start()
    sandbox.fault("never_answers")
    with connect(sandbox) as client:
        client.sendall(BALANCE)
        while not sandbox.book.entries():
            time.sleep(0.01)
        sandbox.stop()
        assert client.recv(1) == b""
