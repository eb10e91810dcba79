"""Answers to requests that would cost too much now, whichever page they came to."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core.admin.export_slots import ExportRefused
from core.client_presence import ClientGone

from .. import errors
from ..sign_in.password_hashing import HashingBusy

CLIENT_CLOSED_REQUEST = 499
"""Nobody receives it. nginx writes the same number in its log."""


class LoadLimitMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, HashingBusy):
            return errors.busy(request)
        if isinstance(error, ExportRefused):
            return errors.export_refused(error)
        if isinstance(error, ClientGone):
            return HttpResponse(status=CLIENT_CLOSED_REQUEST)
        return None
