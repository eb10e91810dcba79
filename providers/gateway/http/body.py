"""Read an answer's body within limits, and classify failures to read it."""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Iterator
from typing import Any, Final

from urllib3 import exceptions

from ..vocabulary import Reason

BODY_LIMIT: Final = 1024 * 1024
"""Bytes, after decoding."""
_BLOCK: Final = 64 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS


class Unreadable(Exception):
    """The body is too long, or in an encoding that we did not request."""


class CutShort(Exception):
    """The body ended before its compressed content did."""


def read_body(raw: Any, received: bytearray) -> None:
    """Append the decoded body to `received`. After a failure it has the part before it."""
    encoding = raw.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        for block in raw.stream(_BLOCK, decode_content=False):
            _append(received, block)
    elif encoding in ("gzip", "x-gzip"):
        _read_gzip(raw.stream(_BLOCK, decode_content=False), received)
    else:
        raise Unreadable


def _append(received: bytearray, data: bytes) -> None:
    received += data[: BODY_LIMIT + 1 - len(received)]
    if len(received) > BODY_LIMIT:
        raise Unreadable


def _read_gzip(blocks: Iterator[bytes], received: bytearray) -> None:
    """Decode with a limit on every step. urllib3's decoder has none at the end of the body."""
    decoder = zlib.decompressobj(_GZIP)
    arrived = 0
    for block in blocks:
        arrived += len(block)
        if arrived > 2 * BODY_LIMIT:
            raise Unreadable
        while block:
            if decoder.eof:
                decoder = zlib.decompressobj(_GZIP)
            _append(received, decoder.decompress(block, BODY_LIMIT + 1 - len(received)))
            block = decoder.unconsumed_tail or decoder.unused_data
    if arrived and not decoder.eof:
        raise CutShort


_UNREADABLE: Final = (
    Unreadable,
    zlib.error,
    http.client.LineTooLong,
    http.client.BadStatusLine,
    http.client.UnknownProtocol,
    exceptions.InvalidChunkLength,
    exceptions.InvalidHeader,
)


def reason_of(failure: BaseException) -> Reason:
    """Why no complete answer arrived after a request had begun."""
    found = list(causes(failure))
    if any(isinstance(cause, (TimeoutError, exceptions.TimeoutError)) for cause in found):
        return Reason.TIMED_OUT
    if any(isinstance(cause, http.client.RemoteDisconnected) for cause in found):
        return Reason.CUT_OFF
    if any(isinstance(cause, _UNREADABLE) for cause in found):
        return Reason.UNREADABLE
    if any(type(cause) is http.client.HTTPException for cause in found):
        # http.client raises the base class itself for more than 100 headers.
        return Reason.UNREADABLE
    return Reason.CUT_OFF


def causes(failure: BaseException) -> Iterator[BaseException]:
    """An exception and the exceptions that caused it or that it wraps.

    `__context__` is left out, because it may lead to an unrelated exception that the caller was
    handling.
    """
    waiting: list[Any] = [failure]
    seen: set[int] = set()
    while waiting:
        error = waiting.pop()
        if isinstance(error, BaseException) and id(error) not in seen:
            seen.add(id(error))
            yield error
            waiting += (error.__cause__, getattr(error, "reason", None), *error.args)
