"""The callback address: store each request and answer 200.

The content of a request never leads to an error: a 4xx would lose the report for good, and a 5xx
would make the provider repeat a request that can never succeed. If the database is unavailable,
the answer is 503, so that the provider tries again.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import zlib
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from core.client_address import client_address

from . import self_test, wake
from .store import IncomingCallback, store
from .tokens import KnownToken, known_tokens, wrong_tokens

logger = logging.getLogger(__name__)

MAX_BODY: Final = 512 * 1024
"""Bytes. A thousand reports in one request take about 220 KiB."""
MAX_QUERY: Final = 8 * 1024
_ASCII: Final = "".join(map(chr, range(0x80)))
RETRY_AFTER: Final = 30
"""Seconds, for providers that honour it."""
SLOT_TIMEOUT: Final = 1.0
"""Seconds that a callback waits for a database slot before it is answered 503."""
FULL_FOR: Final = 5.0
"""Seconds for which callbacks do not wait for a slot after one has waited without success."""

_slots: Final = threading.BoundedSemaphore(max(1, settings.WEB_THREADS - 2))
_full_until = float("-inf")


def mistyped_callback(_request: HttpRequest, mistyped: str) -> HttpResponse:
    """404 for an address that looks like a callback address and is none."""
    return HttpResponse("No such address.\n", status=404, content_type="text/plain")


class TooLarge(Exception):
    """The request is larger than any report needs to be."""


class NoFreeSlot(Exception):
    """Too many callbacks already wait for the database."""


@contextlib.contextmanager
def _database_slot() -> Iterator[None]:
    """Hold one of the slots in which a callback may wait for the database.

    The limit leaves threads to staff even while the database blocks every callback. A slot is
    never held while a body is read, so a slow sender does not keep other reports out.

    :raises NoFreeSlot: after `SLOT_TIMEOUT`, or at once if another callback timed out in the
        last `FULL_FOR` seconds.
    """
    global _full_until
    if not _slots.acquire(blocking=False):
        if time.monotonic() < _full_until:
            raise NoFreeSlot
        if not _slots.acquire(timeout=SLOT_TIMEOUT):
            _full_until = time.monotonic() + FULL_FOR
            raise NoFreeSlot
    try:
        yield
    finally:
        _slots.release()


@csrf_exempt
def callback(request: HttpRequest, token: str) -> HttpResponse:
    """Receive one callback. Answers are plain text, since only a provider's log shows them.

    No answer may be stored on the way. A stored "OK" would lose every later report.
    """
    try:
        response = _answer(request, token)
    except NoFreeSlot:
        response = _retry_later()
    except DatabaseError as error:
        # Only the type: the text may quote the callback.
        logger.error("A callback could not be stored: %s", type(error).__name__)
        response = _retry_later()
    response["Cache-Control"] = "no-store"
    return response


def _answer(request: HttpRequest, token: str) -> HttpResponse:
    address = client_address(request)
    with _database_slot():
        known = known_tokens.find(token)
    test = request.headers.get(self_test.HEADER, "")
    if known is not None and test:
        # Our own signature is valid from any network.
        return self_test.answer_test(test, known)
    if known is None or not known.allows_sender(address):
        too_many = wrong_tokens.count(address)
        return (
            _text_response("Too many requests", 429)
            if too_many
            else _text_response("Not found", 404)
        )
    if request.method not in known.methods:
        answer = _text_response("Method not allowed", 405)
        answer["Allow"] = ", ".join(sorted(known.methods))
        return answer
    return _take_in(request, known, str(address or ""))


def _take_in(request: HttpRequest, known: KnownToken, sender: str) -> HttpResponse:
    try:
        incoming = IncomingCallback(
            method=str(request.method),
            query=_query(request),
            body=_body(request),
            content_type=str(request.META.get("CONTENT_TYPE", "")),
            sender=sender,
        )
    except TooLarge:
        return _text_response("Too large", 413)
    except UnreadablePostError:
        return _text_response("Incomplete", 400)
    with _database_slot():
        store(incoming, known)
    wake.wake_processing_soon()
    return _text_response("OK", 200)


def _query(request: HttpRequest) -> str:
    # The server decodes the bytes as Latin-1 (WSGI).
    raw = str(request.META.get("QUERY_STRING", ""))
    if len(raw) > MAX_QUERY:
        raise TooLarge
    sent = raw.encode("latin-1", "replace")
    try:
        return sent.decode("utf-8")
    except ValueError:
        # Percent-encoded, so that the client can decode it by the charset that it is in.
        return quote(sent, safe=_ASCII)


def _body(request: HttpRequest) -> bytes:
    """The whole body. A chunked body is read from the server, since Django treats it as empty."""
    length = str(request.META.get("CONTENT_LENGTH") or "")
    if not length and "HTTP_TRANSFER_ENCODING" in request.META:
        body = _read_chunked(request)
    elif length.isdecimal() and int(length) > MAX_BODY:
        raise TooLarge
    else:
        body = request.body
        if length.isdecimal() and len(body) < int(length):
            # The sender left in the middle. It saw no answer, so it sends the report again.
            raise UnreadablePostError("cut off")
    if len(body) > MAX_BODY:
        raise TooLarge
    encoding = request.headers.get("content-encoding", "").strip().lower()
    return _unzipped(body) if encoding in ("gzip", "x-gzip") else body


def _unzipped(body: bytes) -> bytes:
    """The content of a compressed body; a broken one stays as it came, for staff to see."""
    decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        content = decoder.decompress(body, MAX_BODY + 1)
    except zlib.error:
        return body
    if len(content) > MAX_BODY:
        raise TooLarge
    return content if decoder.eof and not decoder.unused_data else body


def _read_chunked(request: HttpRequest) -> bytes:
    try:
        body: bytes = request.META["wsgi.input"].read(MAX_BODY + 1)
    except Exception as error:  # noqa: BLE001
        # The server raises a different exception for each kind of broken chunk.
        raise UnreadablePostError(type(error).__name__) from None
    return body


def _retry_later() -> HttpResponse:
    answer = _text_response("Try again later", 503)
    answer["Retry-After"] = str(RETRY_AFTER)
    return answer


def _text_response(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
