"""Keeps null characters in addresses away from the pages.

PostgreSQL accepts no null character, not even to compare with, so every page that looks something
up by a part of its address would fail. Forms have Django's validator. Callbacks are stored as they
arrive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse

UNTOUCHED: Final = "/callbacks/"
NULL: Final = "%00"


class NullCharactersMiddleware:
    """Drops null characters from the query; a path that contains one does not exist.

    Must run before anything reads `request.GET`, and after `request.user` is there for the page
    of a 404.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(UNTOUCHED):
            if "\x00" in request.path_info:
                raise Http404
            query = request.META.get("QUERY_STRING", "")
            if NULL in query or "\x00" in query:
                request.META["QUERY_STRING"] = _without_null_characters(query)
        return self.get_response(request)


def _without_null_characters(query: str) -> str:
    """The query string without them, also where removing one would form another."""
    while NULL in query or "\x00" in query:
        query = query.replace(NULL, "").replace("\x00", "")
    return query
