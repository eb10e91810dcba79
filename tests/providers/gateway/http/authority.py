"""A certificate authority that signs certificates with faults, for servers on 127.0.0.1."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
HERE: tuple[x509.GeneralName, ...] = (x509.IPAddress(ip_address("127.0.0.1")),)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write_key(key: ec.EllipticCurvePrivateKey, path: Path) -> Path:
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@dataclass
class Authority:
    """Its own certificate is in `bundle`, for clients that trust it."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    signed: int = 0

    def __post_init__(self) -> None:
        root = self._builder("test authority", self.key.public_key(), -DAY, DAY, is_ca=True)
        self._write("authority.pem", root.sign(self.key, hashes.SHA256()))

    @property
    def bundle(self) -> str:
        return str(self.folder / "authority.pem")

    def server(
        self,
        *,
        begins: datetime.timedelta = -DAY,
        ends: datetime.timedelta = DAY,
        names: tuple[x509.GeneralName, ...] = HERE,
    ) -> ssl.SSLContext:
        """The context of a server whose certificate is valid between two times from now."""
        self.signed += 1
        key = ec.generate_private_key(ec.SECP256R1())
        built = self._builder("test server", key.public_key(), begins, ends)
        if names:
            built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
        path = self._write(f"{self.signed}.pem", built.sign(self.key, hashes.SHA256()))
        return _context(path, _write_key(key, self.folder / f"{self.signed}.key"))

    def own_server(self) -> ssl.SSLContext:
        """The context of a server with the authority's own, self-signed certificate."""
        return _context(Path(self.bundle), _write_key(self.key, self.folder / "authority.key"))

    def _builder(
        self,
        subject: str,
        public: Any,
        begins: datetime.timedelta,
        ends: datetime.timedelta,
        *,
        is_ca: bool = False,
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name("test authority"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(issuer, critical=False)
        )

    def _write(self, name: str, certificate: x509.Certificate) -> Path:
        path = self.folder / name
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path
