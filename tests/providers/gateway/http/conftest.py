"""Servers, callers, certificates and host names for tests of the HTTP transport."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .callers import Caller, Certificate, MakeCaller, Names, Serve
from .raw_server import Behaviour, RawServer


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[RawServer] = []

    def start(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> RawServer:
        servers.append(RawServer(*behaviours, tls=tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def caller() -> Iterator[MakeCaller]:
    callers: list[Caller] = []

    def make(url: str, **settings: Any) -> Caller:
        callers.append(Caller(url, **settings))
        return callers[-1]

    yield make
    for made in callers:
        made.connections.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return _certificate(
        tmp_path_factory.mktemp("tls"),
        [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))],
    )


@pytest.fixture(scope="session")
def other_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return _certificate(tmp_path_factory.mktemp("tls"), [x509.DNSName("other.example")])


def _certificate(folder: Path, names: list[x509.GeneralName]) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smsportal test")])
    now = datetime.datetime.now(datetime.UTC)
    public = key.public_key()
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key_path = folder / "key.pem"
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return Certificate(str(path), context)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    known = Names()
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **named: Any) -> Any:
        if host not in known:
            return real(host, port, *arguments, **named)
        known.lookups.append(host)
        stream = socket.SOCK_STREAM
        return [
            (socket.AF_INET6, stream, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, stream, 6, "", (address, port))
            for address in known[host]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known
