"""Refuses requests for a host that is not in ALLOWED_HOSTS."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from core.templatetags.portal import visible

logger = logging.getLogger(__name__)

MAX_LOGGED: Final = 100
"""Characters of the host's name, which anyone can choose."""


class KnownHostMiddleware:
    """Answers 400 in plain text, with one line in the log, before anything uses the host's name.

    Error pages cannot do it: they build addresses with that name.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            host = str(request.META.get("HTTP_HOST", request.META.get("SERVER_NAME", "")))
            shown = visible(host[:MAX_LOGGED]).replace("\n", "␤")
            logger.warning("400 for the host “%s”, which is not in ALLOWED_HOSTS.", shown)
            text = "This portal does not serve the host of this address."
            return HttpResponse(text, status=400, content_type="text/plain; charset=utf-8")
        return self.get_response(request)
