"""A reference for every request, so that what staff read out is found in the log."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from django.http import HttpRequest, HttpResponse

HEADER: Final = "X-Request-ID"
ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without the signs that are mistaken for each other when read out."""

_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """The reference of the request that is being answered, or nothing outside of one."""
    return _current.get()


def new() -> str:
    signs = [secrets.choice(ALPHABET) for _ in range(8)]
    return "".join(signs[:4]) + "-" + "".join(signs[4:])


class RequestIdMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Not reset at the end: Django logs refusals only after the last middleware.
        _current.set(new())
        response = self.get_response(request)
        response[HEADER] = current()
        return response


class RequestIdFilter(logging.Filter):
    """Gives every log record the reference of its request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current() or "-"
        return True
