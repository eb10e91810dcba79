"""Compresses pages, except where their length could tell a stranger what they hold.

BREACH: whoever can make a browser ask for a page again and again, with words of their own in it,
reads a secret of the page from how well it compresses. What another site asks for is therefore sent
as it is. docs/developers/security.md says what else stands in the way.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

COMPRESSED: Final = ("text/html", "application/json")
OWN_SITES: Final = ("same-origin", "none")
"""Who asked, in the words of the header `Sec-Fetch-Site`: a page of the portal, or a person."""


class CompressionMiddleware(GZipMiddleware):
    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not (_is_page(response) and _is_asked_by_us(request)):
            return response
        packed: HttpResponseBase = super().process_response(request, response)
        return packed


def _is_page(response: HttpResponseBase) -> bool:
    """Files that are streamed are not: their rows go out as they come."""
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    return isinstance(response, HttpResponse) and kind in COMPRESSED


def _is_asked_by_us(request: HttpRequest) -> bool:
    """Whether no other site made the browser ask. Browsers without the header do not say."""
    return request.headers.get("Sec-Fetch-Site", "none") in OWN_SITES
