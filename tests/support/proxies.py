"""The proxies of `deploy/`, as real processes on a free port with a certificate of their own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from requests.adapters import HTTPAdapter

from smsportal.configuration.environment import BASE_DIR
from tests.support.hosts import free_port
from tests.support.wait_until import wait_until

DEPLOY: Final = BASE_DIR / "deploy"
NAME: Final = "sms.example.com"
NGINX: Final = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CADDY: Final = shutil.which("caddy")
FRAME_OF_NGINX: Final = """
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""


class Visitor(requests.Session):
    """A browser at an address of its own, which knows the portal by name."""

    def __init__(self, port: int, address: str = "127.0.0.5") -> None:
        super().__init__()
        self.trust_env = self.verify = False
        self.headers["Host"] = NAME
        self.mount("https://", _FromAddress(address))
        self.base = f"https://127.0.0.1:{port}"

    def sign_in(self, name: str, password: str, **headers: str) -> requests.Response:
        """Returns the answer to the form."""
        self.get(f"{self.base}/login/", timeout=30)
        fields = {
            "username": name,
            "password": password,
            "csrfmiddlewaretoken": self.cookies["csrftoken"],
            "next": "/",
        }
        sent = {"Referer": f"https://{NAME}/login/", **headers}
        return self.post(
            f"{self.base}/login/", fields, headers=sent, timeout=30, allow_redirects=False
        )


class _FromAddress(HTTPAdapter):
    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        options["source_address"] = (self._address, 0)
        super().init_poolmanager(*args, **options)


@contextmanager
def nginx(folder: Path, portal: str) -> Iterator[int]:
    """The port of nginx. `portal`: where it finds the portal, such as `unix:/path`."""
    port, plain = free_port(), free_port()
    certificate, key = make_certificate(folder)
    server = (DEPLOY / "nginx/smsportal.conf").read_text()
    changes = {
        r"server unix:\S+": f"server {portal}",
        r"listen 443": f"listen 127.0.0.1:{port}",
        r"listen 80;": f"listen 127.0.0.1:{plain};",
        r"(?m)^.*listen \[::\].*$": "",
        r"/etc/ssl/smsportal/fullchain.pem": str(certificate),
        r"/etc/ssl/smsportal/privkey.pem": str(key),
    }
    file = folder / "nginx.conf"
    file.write_text(FRAME_OF_NGINX.format(folder=folder, server=_changed(server, changes)))
    if os.geteuid() == 0:
        # Otherwise its workers are of a user who may not open the socket of these tests.
        file.write_text(f"user root;\n{file.read_text()}")
    with _running([str(NGINX), "-c", str(file), "-p", str(folder)], port, {}):
        yield port


@contextmanager
def caddy(folder: Path, portal: str) -> Iterator[int]:
    """The port of Caddy. `portal`: where it finds the portal, such as `[::1]:8000`."""
    port = free_port()
    certificate, key = make_certificate(folder)
    address = f"https://{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate} {key}"
    changes = {r"\{\$PUBLIC_HOST\} \{": address, r"\{\$PORTAL\}": portal}
    if _version_of_caddy() < (2, 7):
        changes[r"request_buffers \S+"] = "buffer_requests"
    # Clients that connect to a number send no name.
    options = f"{{\n\tadmin off\n\tauto_https off\n\tdefault_sni {NAME}\n}}\n"
    file = folder / "Caddyfile"
    file.write_text(options + _changed((DEPLOY / "caddy/Caddyfile").read_text(), changes))
    homes = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    command = [str(CADDY), "run", "--config", str(file), "--adapter", "caddyfile"]
    with _running(command, port, homes):
        yield port


def _version_of_caddy() -> tuple[int, ...]:
    said = subprocess.run([str(CADDY), "version"], capture_output=True, text=True, check=True)
    found = re.search(r"(\d+)\.(\d+)", said.stdout)
    assert found is not None
    return int(found[1]), int(found[2])


def _changed(text: str, changes: dict[str, str]) -> str:
    """Fails if the file no longer has what is to be changed for these tests."""
    for pattern, new in changes.items():
        text, count = re.subn(pattern, lambda _, new=new: new, text)  # type: ignore[misc]
        assert count, pattern
    return text


@contextmanager
def _running(command: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        wait_until(lambda: process.poll() is not None or _answers(port))
        assert process.poll() is None, command
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _answers(port: int) -> bool:
    try:
        return Visitor(port).get(f"https://127.0.0.1:{port}/livez", timeout=5).status_code > 0
    except requests.RequestException:
        return False


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Files with a certificate that is valid for a day, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    encoding = serialization.Encoding.PEM
    files[0].write_bytes(certificate.public_bytes(encoding))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(encoding, form, plain))
    return files
