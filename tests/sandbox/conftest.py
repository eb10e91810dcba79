"""A fresh sandbox for each test, a plain HTTP session, and a receiver of callbacks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from sandbox import credentials
from sandbox.remote import Remote
from sandbox.server import Sandbox

Call = Callable[..., requests.Response]
RentNumber = Callable[..., dict[str, Any]]


class Receiver:
    """Takes the place of the portal: keeps callbacks in their order of arrival."""

    def __init__(self) -> None:
        received: list[dict[str, str]] = []
        self.received = received

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                received.append(dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True)))
                self._answer_ok()

            def do_POST(self) -> None:
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer_ok()

            def _answer_ok(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/callbacks/token"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        for provider in ("haorui", "otpservice"):
            running.change_settings(provider, report_delay=0.0)
        running.change_settings("gosms", sms_delay=None)
        yield running


@pytest.fixture
def remote(sandbox: Sandbox) -> Iterator[Remote]:
    with Remote(sandbox.url) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.stop()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as one:
        one.trust_env = False
        yield one


@pytest.fixture
def otp_msg(sandbox: Sandbox, session: requests.Session) -> Call:
    """Sends a code over HaoSMS. A keyword replaces a parameter, None omits it."""

    def call(method: str = "POST", **changes: str | None) -> requests.Response:
        values = {
            "api_key": credentials.HAOSMS_API_KEY,
            "phone": "13912345678",
            "content": "123212",
            "platform": "验证码通道1",
            **changes,
        }
        sent: dict[str, Any] = {"data" if method == "POST" else "params": values}
        url = sandbox.base_url("haosms") + "/extra_api/otp_msg"
        return session.request(method, url, timeout=5, **sent)

    return call


@pytest.fixture
def send_sms(sandbox: Sandbox, session: requests.Session) -> Call:
    """Sends a text over HAORUI."""

    def call(method: str = "POST", **changes: object) -> requests.Response:
        values = {
            "api_id": credentials.HAORUI_API_ID,
            "api_password": credentials.HAORUI_API_PASSWORD,
            "sms_type": "T",
            "encoding": "U",
            "sender_id": "LIASMT",
            "phonenumber": "8613312345678",
            "textmessage": "您的验证码",
            **changes,
        }
        values = {name: value for name, value in values.items() if value is not None}
        sent: dict[str, Any] = {"json" if method == "POST" else "params": values}
        url = sandbox.base_url("haorui") + "/api/SendSMS"
        return session.request(method, url, timeout=5, **sent)

    return call


@pytest.fixture
def otp(sandbox: Sandbox, session: requests.Session) -> Call:
    """Calls `/send` or `/code` of the OTP Service."""

    def call(path: str, **changes: str | None) -> requests.Response:
        values = {
            "username": credentials.OTPSERVICE_USERNAME,
            "password": credentials.OTPSERVICE_PASSWORD,
            **({"msisdn": "8613312345678", "eid": "our-eid"} if path == "/send" else {}),
            **changes,
        }
        return session.get(sandbox.base_url("otpservice") + path, params=values, timeout=5)

    return call


@pytest.fixture
def gosms(sandbox: Sandbox, session: requests.Session) -> Call:
    """Calls an endpoint of GoSMS with the key of the default account."""

    def call(
        method: str, path: str, key: str = credentials.GOSMS_API_KEY, **rest: Any
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"}
        url = sandbox.base_url("gosms") + path
        return session.request(method, url, headers=headers, timeout=5, **rest)

    return call


@pytest.fixture
def rent_number(gosms: Call) -> RentNumber:
    """Rents a WhatsApp number in Indonesia."""

    def rent(project: str = "whatsapp", region: str = "ID") -> dict[str, Any]:
        body = {"project_code": project, "region": region}
        answer: dict[str, Any] = gosms("POST", "/order", json=body).json()
        return answer

    return rent
