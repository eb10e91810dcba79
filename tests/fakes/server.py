"""A small HTTP server for a fake provider, on a free port of this host."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .wire_formats import Writing


@dataclass(frozen=True)
class Asked:
    """One request, with the values of its query, form or JSON."""

    method: str
    path: str
    values: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Fake:
    """The common part of all fakes: keeps requests, and answers with `answer`."""

    writing: Writing = field(default_factory=Writing)
    asked: list[Asked] = field(default_factory=list)
    base: str = ""
    """The part of the address that belongs to the base URL."""

    def __post_init__(self) -> None:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._handle(b"")

            def do_POST(self) -> None:
                self._handle(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

            def _handle(self, body: bytes) -> None:
                parts = urlsplit(self.path)
                values = dict(parse_qsl(parts.query, keep_blank_values=True))
                if "json" in (self.headers.get("Content-Type") or "") and body:
                    values |= json.loads(body)
                else:
                    values |= dict(parse_qsl(body.decode(), keep_blank_values=True))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, parts.path, values, headers)
                fake.asked.append(asked)
                status, sent = fake.answer(asked)
                self.send_response(status)
                self.send_header("Content-Type", fake.writing.content_type)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.base}"

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        raise NotImplementedError

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
