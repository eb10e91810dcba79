"""The address that providers report to: store what comes and say 200.

Whatever a request holds, it is kept and never answered with a fault: a 4xx would lose a
report for good, and a 5xx for something that can never work would bring it again and again.
A database that is away answers 503, so that the provider tries again.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from core.client_address import client_address

from . import self_test, wake
from .store import Incoming, store
from .tokens import KnownToken, known_tokens, wrong_tokens

logger = logging.getLogger(__name__)

LONGEST_BODY: Final = 512 * 1024
"""Bytes. A thousand reports in one request come to about 220 KiB."""
LONGEST_QUERY: Final = 8 * 1024
RETRY_AFTER: Final = 30
"""Seconds, for a provider that reads it."""
PATIENCE: Final = 1.0
"""Seconds that a callback waits for room before it is told to come again."""

STUCK_FOR: Final = 5.0
"""Seconds that nobody waits for room any more once somebody waited in vain."""

_room: Final = threading.BoundedSemaphore(max(1, settings.WEB_THREADS - 2))
_stuck_until = float("-inf")


class TooLarge(Exception):
    """More than any report needs."""


class NoRoom(Exception):
    """Too many callbacks wait for the database already."""


@contextlib.contextmanager
def _room_at_the_database() -> Iterator[None]:
    """Staff keep threads of their own, even while the database makes every callback wait.

    Never held while a body is read: whoever sends slowly keeps no other report out.

    :raises NoRoom: at once where somebody waited in vain a moment ago.
    """
    global _stuck_until
    if not _room.acquire(blocking=False):
        if time.monotonic() < _stuck_until:
            raise NoRoom
        if not _room.acquire(timeout=PATIENCE):
            _stuck_until = time.monotonic() + STUCK_FOR
            raise NoRoom
    try:
        yield
    finally:
        _room.release()


@csrf_exempt
def callback(request: HttpRequest, token: str) -> HttpResponse:
    """One callback. Text answers only: nobody reads them but a provider's log."""
    try:
        return _answer(request, token)
    except NoRoom:
        return _come_again()
    except DatabaseError as error:
        # Only its kind: the text may quote what was to be stored.
        logger.error("A callback could not be stored: %s", type(error).__name__)
        return _come_again()


def _answer(request: HttpRequest, token: str) -> HttpResponse:
    address = client_address(request)
    with _room_at_the_database():
        known = known_tokens.find(token)
    test = request.headers.get(self_test.HEADER, "")
    if known is not None and test:
        # Signed by ourselves, wherever we stand.
        return self_test.answer(test, known)
    if known is None or not known.may_come_from(address):
        too_many = wrong_tokens.are_too_many(address)
        return _text("Too many requests", 429) if too_many else _text("Not found", 404)
    if request.method not in known.methods:
        answer = _text("Method not allowed", 405)
        answer["Allow"] = ", ".join(sorted(known.methods))
        return answer
    return _take_in(request, known, str(address or ""))


def _take_in(request: HttpRequest, known: KnownToken, sender: str) -> HttpResponse:
    try:
        incoming = Incoming(
            method=str(request.method),
            query=_query(request),
            body=_body(request),
            content_type=str(request.META.get("CONTENT_TYPE", "")),
            sender=sender,
        )
    except TooLarge:
        return _text("Too large", 413)
    except UnreadablePostError:
        return _text("Incomplete", 400)
    with _room_at_the_database():
        store(incoming, known)
    wake.kick_soon()
    return _text("OK", 200)


def _query(request: HttpRequest) -> str:
    # The server hands bytes over as if they were Latin-1.
    raw = str(request.META.get("QUERY_STRING", ""))
    if len(raw) > LONGEST_QUERY:
        raise TooLarge
    return raw.encode("latin-1", "replace").decode("utf-8", "backslashreplace")


def _body(request: HttpRequest) -> bytes:
    """The whole body. One without a length is read from the server itself, since Django
    takes it for empty."""
    length = str(request.META.get("CONTENT_LENGTH") or "")
    if not length and "HTTP_TRANSFER_ENCODING" in request.META:
        body = _read_to_its_end(request)
    elif length.isdecimal() and int(length) > LONGEST_BODY:
        raise TooLarge
    else:
        body = request.body
    if len(body) > LONGEST_BODY:
        raise TooLarge
    return body


def _read_to_its_end(request: HttpRequest) -> bytes:
    try:
        body: bytes = request.META["wsgi.input"].read(LONGEST_BODY + 1)
    except Exception as error:  # noqa: BLE001
        # The server has an exception of its own for each way in which chunks can be wrong.
        raise UnreadablePostError(type(error).__name__) from None
    return body


def _come_again() -> HttpResponse:
    answer = _text("Try again later", 503)
    answer["Retry-After"] = str(RETRY_AFTER)
    return answer


def _text(said: str, status: int) -> HttpResponse:
    return HttpResponse(said, status=status, content_type="text/plain; charset=utf-8")
