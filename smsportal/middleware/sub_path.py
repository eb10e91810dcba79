"""Refuses requests that a proxy serves below a path such as `/sms/`.

All addresses of the portal begin with "/", so its pages would link outside of that path.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

SENTENCE = (
    "The portal cannot be served below a path: give it a host name of its own, and let the proxy"
    " pass on paths as they are."
)
CALLBACKS = "/callbacks/"


class SubPathMiddleware:
    """Answers 400 in plain text, with one line in the log. A callback that found its way here is
    still taken in, since what came in must not be lost."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if has_prefix(request) and not request.path_info.startswith(CALLBACKS):
            logger.warning("400 for a request with a path prefix. %s", SENTENCE)
            return HttpResponse(
                SENTENCE, status=HTTPStatus.BAD_REQUEST, content_type="text/plain; charset=utf-8"
            )
        return self.get_response(request)


def has_prefix(request: HttpRequest) -> bool:
    """Whether a proxy says that it took a part of the path away. Some always send "/"."""
    said = (request.META.get("HTTP_X_FORWARDED_PREFIX"), request.META.get("SCRIPT_NAME"))
    return any(str(prefix or "").strip("/ ,") for prefix in said)
