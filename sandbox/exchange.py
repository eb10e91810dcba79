"""One HTTP exchange: the parsed request, the intended reply, and the connection between them."""

from __future__ import annotations

import json
import os
import secrets
import select
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from urllib.parse import parse_qsl

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 4 * 1024 * 1024
REASONS = {status.value: status.phrase for status in HTTPStatus}

# Decimals become JSON numbers with all their digits (0.50 stays 0.50). The mark is random in each
# process, so that no text sent by a client can be mistaken for it.
_MARK = f"decimal-{secrets.token_hex(8)}:"


def _mark_decimal(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value}{_MARK}"
    raise TypeError(f"{type(value).__name__} has no place in an answer")


def dump_json(payload: object) -> bytes:
    """Encode as UTF-8 JSON with unescaped non-ASCII characters and exact Decimals."""
    text = json.dumps(payload, ensure_ascii=False, default=_mark_decimal)
    if _MARK in text:
        text = text.replace(f'"{_MARK}', "").replace(f'{_MARK}"', "")
    # Half of a surrogate pair has no UTF-8 form. Escaped as \udxxx it stays valid JSON.
    return text.encode("utf-8", "backslashreplace")


class BadRequest(Exception):
    """The client sent something that this server cannot parse as an HTTP request."""


@dataclass(frozen=True)
class Head:
    """The request line and headers. Header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    keep_alive: bool


@dataclass(frozen=True)
class Request:
    """A complete request. `path` excludes the provider's prefix."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""

    def parameters(self) -> dict[str, str]:
        """The query parameters. The last value of a repeated name wins."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def form(self) -> dict[str, str]:
        """The query parameters, overridden by those of a form-encoded body."""
        values = self.parameters()
        if "form-urlencoded" in self.headers.get("content-type", ""):
            text = self.body.decode("utf-8", "replace")
            values.update(parse_qsl(text, keep_blank_values=True))
        return values

    def json_object(self) -> dict[str, object] | None:
        """The JSON object in the body, or None for any other body."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


@dataclass
class Reply:
    """The answer that a provider intends to give, and its entry in the book.

    `accepted` is True if the provider carried out the request, and False for a refusal.
    """

    payload: object
    status: int = 200
    outcome: str = "ok"
    accepted: bool = True
    message_id: str = ""
    notes: dict[str, object] = field(default_factory=dict)

    def body(self) -> bytes:
        return dump_json(self.payload)


def render(
    status: int,
    body: bytes,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A complete HTTP/1.1 response as bytes."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
    lines.append(f"Content-Type: {content_type}")
    lines.append(f"Content-Length: {len(body)}")
    lines.extend(f"{name}: {value}" for name, value in (headers or {}).items())
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Wire:
    """The connection to one client: reads requests, writes answers, and breaks on request."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self._sock = sock
        self._reader = sock.makefile("rb", 65536)
        self._stopping = stopping

    def read_head(self) -> Head | None:
        """The head of the next request, or None if the client has disconnected.

        Raises BadRequest.
        """
        line = self._reader.readline(MAX_HEAD_BYTES)
        while line in (b"\r\n", b"\n"):
            line = self._reader.readline(MAX_HEAD_BYTES)
        if not line:
            return None
        parts = line.decode("latin-1").split()
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise BadRequest
        headers = self._read_headers()
        path, _, query = parts[1].partition("?")
        connection = headers.get("connection", "").lower()
        keep_alive = "close" not in connection and parts[2] != "HTTP/1.0"
        return Head(parts[0], path, query, headers, keep_alive)

    def _read_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        room = MAX_HEAD_BYTES
        while True:
            line = self._reader.readline(room)
            if not line or room <= len(line):
                raise BadRequest
            if line in (b"\r\n", b"\n"):
                return headers
            room -= len(line)
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()

    def read_body(self, head: Head) -> bytes:
        """The request body, read by Content-Length or in chunks. Raises BadRequest."""
        if "100-continue" in head.headers.get("expect", "").lower():
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in head.headers.get("transfer-encoding", "").lower():
            return self._read_chunks()
        length = head.headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY_BYTES:
            raise BadRequest
        return self._read_exactly(int(length))

    def _read_chunks(self) -> bytes:
        body = b""
        while True:
            try:
                size = int(self._reader.readline(64).split(b";")[0], 16)
            except ValueError:
                raise BadRequest from None
            if size < 0 or len(body) + size > MAX_BODY_BYTES:
                raise BadRequest
            body += self._read_exactly(size)
            self._reader.readline(8)
            if size == 0:
                return body

    def _read_exactly(self, length: int) -> bytes:
        body = self._reader.read(length) if length else b""
        if len(body) < length:
            raise BadRequest
        return body

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def send_raw(self, data: bytes) -> None:
        """Write to the socket below any TLS layer."""
        os.write(self._sock.fileno(), data)

    def trickle(self, data: bytes, interval: float) -> None:
        """Write one byte at a time, `interval` seconds apart."""
        for index in range(len(data)):
            self.send(data[index : index + 1])
            if self.pause(interval):
                return

    def pause(self, seconds: float) -> bool:
        """Wait. Returns True if the server is stopping."""
        return self._stopping.wait(seconds)

    def wait_for_client(self, seconds: float) -> bool:
        """Wait until the client sends data or disconnects. Returns False on timeout."""
        poll = select.poll()
        poll.register(self._sock.fileno(), select.POLLIN | select.POLLHUP)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._stopping.is_set():
            if poll.poll(100):
                return True
        return False

    def reset(self) -> None:
        """Close with a TCP reset."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        # A socket stays open while a file object uses it, so the file object is closed first.
        self._reader.close()
        self._sock.close()

    def wake(self) -> None:
        """Interrupt a thread that is waiting for this client."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
