"""The saved filters of a list: their addresses, and the one that the list opens with.

`saved` in an address names the saved filter that was opened, or none of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any, Final, cast

from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from core.own_lists import SavedFilter, default_of
from core.phones.parse import search_key

from .filters import SAVED, filter_name
from .own_columns import order_places, own_list, rows_of, shown_columns
from .protocols import ModelPages

NONE: Final = "none"
DIGITS_OF_A_NUMBER: Final = 6
RANGE_ENDS: Final = ("_from", "_to", "_from_0", "_from_1", "_to_0", "_to_1")


def known_query(admin: ModelPages, request: HttpRequest, query: str) -> QueryDict:
    """The filters and the search in this query string, of those that the list has."""
    typed = QueryDict(query)
    pages = cast("Any", admin)
    names = [filter_name(one) for one in pages.get_list_filter(request)]
    searches = [SEARCH_VAR] if pages.get_search_fields(request) else []
    found = QueryDict(mutable=True)
    for name, values in typed.lists():
        is_known = name in searches or any(_belongs(name, known) for known in names)
        kept = [value for value in values if value and "\x00" not in value]
        if is_known and kept:
            found.setlist(name, kept)
    return found


def _belongs(name: str, known: str) -> bool:
    ends = (known + end for end in RANGE_ENDS)
    return name == known or name.startswith(f"{known}__") or name in ends


def may_be_number(term: str) -> bool:
    """Whether a search term may be a phone number or a part of one."""
    digits = sum(unicodedata.category(one) == "Nd" for one in term)
    return digits >= DIGITS_OF_A_NUMBER or search_key(term) is not None


def drop_number(query: QueryDict) -> None:
    """Remove a search for a number, so that none stands in an address."""
    if may_be_number(query.get(SEARCH_VAR, "")):
        del query[SEARCH_VAR]


def address_of(
    admin: ModelPages, request: HttpRequest, saved: SavedFilter, columns: list[Any] | None = None
) -> str:
    """The query string that opens the list with a saved filter."""
    query = known_query(admin, request, saved.query)
    if saved.order:
        shown = shown_columns(admin, request) if columns is None else columns
        order = order_places(shown, saved.order)
        if order:
            query[ORDER_VAR] = order
    query[SAVED] = saved.key
    return f"?{query.urlencode()}"


def default_address(admin: ModelPages, request: HttpRequest) -> str | None:
    """Where the list opens, if the reader chose a saved filter for it and asks for no other."""
    if request.method != "GET" or request.GET:
        return None
    saved = default_of(own_list(admin, request))
    return request.path + address_of(admin, request, saved) if saved else None


def plain_address(request: HttpRequest) -> str:
    """The list without filters. It does not open with a saved one, which may be the wrong one."""
    return f"{request.path}?{SAVED}={NONE}" if SAVED in request.GET else request.path


def own_url(admin: ModelPages, query: str = "") -> str:
    """The page of what a person saves of the list."""
    url = reverse(f"{admin.admin_site.name}:own_list", args=[rows_of(admin)])
    return f"{url}?{query}" if query else url


def is_opened(request: HttpRequest, address: str) -> bool:
    """Whether the list shows just what the saved filter with this address does."""
    return _compared(request.GET.lists()) == _compared(QueryDict(address.lstrip("?")).lists())


def _compared(parameters: Iterable[tuple[str, list[Any]]]) -> dict[str, list[str]]:
    unread = {"p", "e", "filters"}
    return {
        name: sorted(map(str, filter(None, values)))
        for name, values in parameters
        if name not in unread and any(values)
    }
