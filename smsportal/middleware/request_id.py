"""A short reference for every request, which staff quote and the log contains."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from core.request_reference import current, new, set_current

HEADER: Final = "X-Request-ID"


class RequestIdMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Not reset afterwards, because Django logs rejected requests after all middleware.
        set_current(new())
        response = self.get_response(request)
        response[HEADER] = current()
        return response


class RequestIdFilter(logging.Filter):
    """Adds the reference of its request to every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current() or "-"
        return True
