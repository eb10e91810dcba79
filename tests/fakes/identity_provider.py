"""An OpenID provider on loopback, with tokens as real ones sign them, and with every fault."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from core.secrets import Secret
from smsportal.sign_in.oidc.configuration import IdentityProvider

CLIENT: Final = "portal"
SECRET: Final = "secret-of-the-portal"
KEY_ID: Final = "key-1"


@cache
def private_key(name: str = KEY_ID) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def jwk(key_id: str = KEY_ID) -> dict[str, Any]:
    found = jwt.algorithms.RSAAlgorithm.to_jwk(private_key(key_id).public_key(), as_dict=True)
    return {**found, "kid": key_id, "use": "sig", "alg": "RS256"}


class FakeProvider:
    """Who signs in is `person`, and each fault is an attribute."""

    def __init__(self, address: str) -> None:
        self.issuer = address
        self.person: dict[str, Any] = {
            "sub": "u-1",
            "preferred_username": "wei",
            "given_name": "Wei",
            "family_name": "Chen",
            "groups": ["operators"],
        }
        self.changed_claims: dict[str, Any] = {}
        """Put into the token instead of what belongs there. None: left out."""
        self.directory_changes: dict[str, Any] = {}
        self.keys: list[dict[str, Any]] = [jwk()]
        self.write: Callable[[dict[str, Any]], str] = write_token
        self.answers: dict[str, tuple[int, bytes]] = {}
        """By path: a status and a body, instead of what belongs there."""
        self.trickles = ""
        """The path that answers byte by byte, for ever."""
        self.userinfo: dict[str, Any] | None = None
        self.asked: list[str] = []
        """The paths of all requests."""
        self.authorized: dict[str, Any] = {}
        """The query of the last sign-in."""

    def settings(self, **changes: Any) -> IdentityProvider:
        values = {
            "issuer": self.issuer,
            "client_id": CLIENT,
            "client_secret": Secret(SECRET),
            "roles": {"operators": "operator", "managers": "manager", "viewers": "viewer"},
            "name": "Acme",
            "creates_people": True,
        }
        return IdentityProvider(**{**values, **changes})

    def authorize(self, address: str) -> dict[str, str]:
        """What the browser brings back after the person has signed in here."""
        parts = urlsplit(address)
        assert address.startswith(f"{self.issuer}/authorize?")
        self.authorized = dict(parse_qsl(parts.query))
        return {"code": "a-code", "state": self.authorized["state"], "iss": self.issuer}

    def directory(self) -> dict[str, Any]:
        paths = {
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
            "jwks_uri": "/keys",
            "end_session_endpoint": "/end",
        }
        found: dict[str, Any] = {name: f"{self.issuer}{path}" for name, path in paths.items()}
        if self.userinfo is not None:
            found["userinfo_endpoint"] = f"{self.issuer}/userinfo"
        return {"issuer": self.issuer, **found, **self.directory_changes}

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, bytes]:
        status, found = 200, {}
        if path == "/.well-known/openid-configuration":
            found = self.directory()
        elif path == "/keys":
            found = {"keys": self.keys}
        elif path == "/userinfo":
            found = self.userinfo or {}
        elif path == "/token":
            status, found = self.token(form)
        return status, json.dumps(found).encode()

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        fits = (
            form.get("code") == "a-code"
            and form.get("client_id") == CLIENT
            and form.get("client_secret") == SECRET
            and form.get("redirect_uri") == self.authorized["redirect_uri"]
            and self.authorized["code_challenge_method"] == "S256"
            and challenge == self.authorized["code_challenge"]
        )
        if not fits:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": self.authorized["nonce"],
            **self.person,
            **self.changed_claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.write(claims)
        return 200, {"access_token": "an-access-token", "token_type": "Bearer", "id_token": token}


def write_token(
    claims: dict[str, Any], key: Any = None, key_id: str = KEY_ID, algorithm: str = "RS256"
) -> str:
    if key is None:
        key = private_key(key_id)
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": key_id})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: FakeProvider
    stopped: threading.Event


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer({name: values[0] for name, values in parse_qs(body).items()})

    def _answer(self, form: dict[str, str]) -> None:
        fake, path = self.server.fake, urlsplit(self.path).path
        fake.asked.append(path)
        if path == fake.trickles:
            self._trickle()
            return
        status, body = fake.answers.get(path) or fake.answer(path, form)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.FOUND:
            self.send_header("Location", body.decode())
        self.end_headers()
        # A client that has read enough closes the connection.
        with suppress(OSError):
            self.wfile.write(body)

    def _trickle(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        with suppress(OSError):
            while not self.server.stopped.wait(0.02):
                self.wfile.write(b" ")
                self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running_provider() -> Iterator[FakeProvider]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.stopped = threading.Event()
    server.fake = FakeProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield server.fake
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()
