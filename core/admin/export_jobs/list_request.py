"""The list request of an export. It is rebuilt each time rows are read."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, QueryDict
from django.urls import resolve, reverse

from ..protocols import ModelPages
from ..row_requests import repeat_search, want_rows_only


def list_request(
    admin: ModelPages, reader: User, query: str, original: HttpRequest | None = None
) -> HttpRequest:
    """The request of this reader for the list with this query string.

    Notices of the list go to the `original` request. Without one it is a job that repeats what was
    asked, and nobody reads them.
    """
    request = HttpRequest()
    request.method = "GET"
    request.path = request.path_info = reverse(admin.url_name("changelist"))
    request.resolver_match = resolve(request.path)
    request.GET = QueryDict(query)
    request.user = reader
    if original is None:
        notices: Any = CookieStorage(request)
        repeat_search(request)
    else:
        notices = original._messages  # type: ignore[attr-defined]
    request._messages = notices  # type: ignore[attr-defined]
    want_rows_only(request)
    return request


def list_query(request: HttpRequest) -> str:
    """The query string of the list behind an export button."""
    query = request.GET.copy()
    query.pop("format", None)
    return query.urlencode()
