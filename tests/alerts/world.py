"""Rules, receivers and servers on loopback for the tests of alerts."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default as modern
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import time_machine

from alerts.kinds import BY_KEY
from alerts.models import Delivery, Receiver, Rule
from alerts.rule_changes import page_of
from providers import clock

_serial = count(1)


def make_receiver(url: str = "json://127.0.0.1:9/", **fields: Any) -> Receiver:
    values = {"name": f"receiver {next(_serial)}", "service": "webhook", "shown": "webhook"}
    return Receiver.objects.create(url=url, **{**values, "language": "en", **fields})


def make_rule(kind: str, *receivers: Receiver, **fields: Any) -> Rule:
    of_kind = BY_KEY[kind]
    values = {
        name: threshold.default
        for name in ("limit", "least")
        if (threshold := getattr(of_kind, name)) is not None
    }
    rule = Rule.objects.create(kind=kind, page=page_of(of_kind), **{**values, **fields})
    rule.receivers.set(receivers or [make_receiver()])
    return rule


def told() -> list[tuple[str, int]]:
    """The occasion and the count of each message, oldest first."""
    return list(Delivery.objects.order_by("pk").values_list("occasion", "count"))


@contextmanager
def later(span: timedelta) -> Iterator[datetime]:
    """The clock of the portal and of the database's rows, moved on."""
    with time_machine.travel(clock.now() + span, tick=True):
        yield clock.now()


class Webhook(ThreadingHTTPServer):
    """Keeps what was posted; answers `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self.headers_sent: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Hook(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.got.append((self.path, json.loads(body)))
        self._answer()

    def do_GET(self) -> None:
        self.server.got.append((self.path, {}))
        self._answer()

    def _answer(self) -> None:
        self.send_response(self.server.status)
        for name, value in self.server.headers_sent.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it accepts."""

    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.got: list[Any] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Mail(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self._say("220 test")
        while line := self.rfile.readline().strip():
            word = line[:4].upper()
            if word == b"DATA":
                self._say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.got.append(message_from_bytes(b"".join(lines), policy=modern))
            self._say("221 bye" if word == b"QUIT" else "250 ok")
            if word == b"QUIT":
                return

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
