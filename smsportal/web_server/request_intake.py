"""Collects the bytes of one request until it is complete.

A web thread is too precious to wait for a slow client. The worker's main loop therefore collects
each request here, and only a complete one gets a thread. The parser of the server reads the bytes
afterwards, and decides everything else: where this module cannot tell the end of a request, it
hands on what it has, and the server's parser sees the end of the input.
"""

from __future__ import annotations

import io
import re
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from tempfile import TemporaryFile
from typing import IO, Final
from urllib.parse import unquote

MAX_HEAD: Final = 64 * 1024
IN_MEMORY: Final = 64 * 1024
"""Bytes of a request beyond which it is kept in a temporary file."""
MAX_LINE: Final = 1024
"""Bytes of a line between the chunks of a body, and of all trailers together."""
ABSOLUTE: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
"""What a proxy may write before the path."""
LENGTH: Final = re.compile(r"[0-9]{1,18}")
END_OF_HEAD: Final = b"\r\n\r\n"
CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")


@dataclass(frozen=True)
class RequestHead:
    """What the head of a request says, as far as the worker needs it."""

    method: str = ""
    path: str = ""
    headers: dict[str, list[str]] = field(default_factory=dict)
    """Values by names in lower case."""
    version: str = ""

    @classmethod
    def parse(cls, data: bytes) -> RequestHead:
        first, *lines = data.decode("latin-1").split("\r\n")
        method, _, rest = first.partition(" ")
        target, _, version = rest.partition(" ")
        # As the application sees it, since what a request counts for depends on it.
        path = unquote(re.split("[?#]", ABSOLUTE.sub("", target), maxsplit=1)[0])
        headers: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), []).append(value.strip())
        return cls(method, path, headers, version)

    def values(self, name: str) -> str:
        return ", ".join(self.headers.get(name, ()))


class _Step(Enum):
    SIZE = auto()
    DATA = auto()
    TRAILERS = auto()


class ChunkedBody:
    """Finds the end of a body that is sent in chunks (RFC 9112, 7.1)."""

    def __init__(self) -> None:
        self.is_over = self.is_broken = False
        self._step = _Step.SIZE
        self._line = bytearray()
        self._left = 0

    def take(self, data: bytes) -> int:
        """Consume the body's part of `data`, and return its length."""
        at = 0
        while at < len(data) and not self.is_over:
            if self._step is _Step.DATA:
                taken = min(self._left, len(data) - at)
                at, self._left = at + taken, self._left - taken
                if self._left == 0:
                    self._step = _Step.SIZE
            else:
                end = data.find(b"\n", at) + 1 or len(data)
                self._line += data[at:end]
                at = end
                self._end_line()
        return at

    def _end_line(self) -> None:
        if len(self._line) > MAX_LINE:
            self.is_over = self.is_broken = True
        elif not self._line.endswith(b"\n"):
            return
        elif self._step is _Step.TRAILERS:
            # The server's parser refuses a bare line feed, and takes what follows as a request.
            self.is_broken = not self._line.endswith(b"\r\n")
            is_last = self._line == b"\r\n" or self._line.endswith(b"\n\r\n")
            self.is_over = self.is_broken or is_last
            return
        else:
            self._begin_chunk()
        self._line.clear()

    def _begin_chunk(self) -> None:
        size = CHUNK_SIZE.fullmatch(self._line)
        if size is None:
            self.is_over = self.is_broken = True
        elif int(size[1], 16) == 0:
            self._step = _Step.TRAILERS
        else:
            self._step = _Step.DATA
            self._left = int(size[1], 16) + len(b"\r\n")


class SizedBody:
    """Counts a body whose length is known."""

    is_broken = False

    def __init__(self, length: int) -> None:
        self._left = length
        self.is_over = length == 0

    def take(self, data: bytes) -> int:
        taken = min(self._left, len(data))
        self._left -= taken
        self.is_over = self._left == 0
        return taken


class RequestIntake:
    """One request. `max_body` are the bytes that are collected of its body at most."""

    def __init__(self, max_body: int) -> None:
        self.head: RequestHead | None = None
        self.is_complete = False
        self.is_cut = False
        """Complete only in that no more is collected. No other request follows on the connection,
        since nobody knows where it would begin."""
        self.size = 0
        """Bytes collected."""
        self.excess = b""
        """Bytes behind the end, which belong to the next request."""
        self._max_body = max_body
        self._head = bytearray()
        self._skipped = 0
        """Bytes of blank lines before the head."""
        self._body: ChunkedBody | SizedBody = SizedBody(0)
        self._file: IO[bytes] = io.BytesIO()

    def feed(self, data: bytes) -> None:
        if self.is_complete:
            self.excess += data
            return
        if self.head is None:
            begun = len(self._head)
            self._head += data
            if not begun:
                self._skip_blank_lines()
            end = self._head.find(END_OF_HEAD, max(0, begun - len(END_OF_HEAD)))
            if end < 0:
                self.size = len(self._head)
                if len(self._head) + self._skipped > MAX_HEAD:
                    self._keep(bytes(self._head))
                    self.is_cut = True
                    self._complete()
                return
            end += len(END_OF_HEAD)
            data = bytes(self._head[end:])
            self.size = 0
            self._keep(bytes(self._head[:end]))
            self._begin_body(RequestHead.parse(bytes(self._head[: end - len(END_OF_HEAD)])))
        taken = self._body.take(data)
        self._keep(data[:taken])
        is_too_long = self.size > MAX_HEAD + self._max_body
        self.is_cut = self.is_cut or self._body.is_broken or is_too_long
        if self._body.is_over or is_too_long:
            self._complete(b"" if self.is_cut else data[taken:])

    def _skip_blank_lines(self) -> None:
        """The server's parser ignores them before a request, too (RFC 9112, 2.2)."""
        request = self._head.lstrip(b"\r\n")
        self._skipped += len(self._head) - len(request)
        self._head = request

    def _begin_body(self, head: RequestHead) -> None:
        self.head = head
        length = head.values("content-length")
        if "transfer-encoding" in head.headers:
            self._body = ChunkedBody()
        elif LENGTH.fullmatch(length) and int(length) <= self._max_body:
            self._body = SizedBody(int(length))
        elif length:
            # The portal refuses what is too long by the length alone.
            self.is_cut = True

    @property
    def wants_continue(self) -> bool:
        """Whether the client waits for a word before it sends the body."""
        if self.head is None or self.head.version != "HTTP/1.1" or self.is_complete:
            return False
        return self.head.values("expect").lower() == "100-continue"

    def _keep(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)
        if self.size > IN_MEMORY and isinstance(self._file, io.BytesIO):
            collected = self._file.getvalue()
            self._file = TemporaryFile()  # noqa: SIM115 - closed with the request
            self._file.write(collected)

    def _complete(self, excess: bytes = b"") -> None:
        self.is_complete = True
        self.excess = excess
        self._head.clear()
        self._file.seek(0)

    def read(self, size: int) -> bytes:
        """The next bytes of a complete request; none at its end."""
        return self._file.read(size)

    def close(self) -> None:
        # Closing writes what is left, for which the disk may have no room.
        with suppress(OSError):
            self._file.close()
