"""The columns that a person chose for a list.

The admin declares them, and the reader's rights decide which of them exist. The first column, and
the one that leads to the row, always stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from django.http import HttpRequest

from core.models import OwnList
from core.own_lists import columns_of, own_list_of

from .list_rows import CHECKBOX
from .once import once
from .pages import current_user
from .protocols import ModelPages

ORDER_END: Final = "."
"""Between the columns that sort a list."""


def rows_of(admin: ModelPages) -> str:
    return admin.opts.label_lower


def own_list(admin: ModelPages, request: HttpRequest) -> OwnList:
    """What the reader saved of this list, read once for a page."""
    label = rows_of(admin)
    user = current_user(request)
    return once(request, f"own list {label}", lambda: own_list_of(user.pk, label))


def column_name(column: Any) -> str:
    return str(column.__name__ if callable(column) else column)


def declared_columns(admin: ModelPages, request: HttpRequest) -> list[Any]:
    """Every column that exists for the reader."""
    return [*cast("Any", admin).get_list_display(request), *admin.other_columns]


def fixed_columns(admin: ModelPages, request: HttpRequest) -> list[str]:
    """The columns that stay: the first one, and one that leads to the row."""
    pages = cast("Any", admin)
    display = pages.get_list_display(request)
    return _fixed(display, pages.get_list_display_links(request, display))


def _fixed(display: Sequence[Any], links: Sequence[Any] | None) -> list[str]:
    names = [name for name in map(column_name, display) if name != CHECKBOX]
    linked = [name for name in names if name in set(map(column_name, links or ()))]
    return list(dict.fromkeys(names[:1] + linked[:1]))


def arranged(
    admin: ModelPages, request: HttpRequest, display: Sequence[Any], links: Sequence[Any] | None
) -> list[Any]:
    """The declared columns `display`, as the reader chose them."""
    chosen = columns_of(own_list(admin, request))
    if not chosen:
        return list(display)
    fixed = _fixed(display, links)
    boxes = [one for one in display if column_name(one) == CHECKBOX]
    named = {column_name(one): one for one in (*display, *admin.other_columns)}
    first, *linked = fixed
    wanted = dict.fromkeys([first, *(name for name in linked if name not in chosen), *chosen])
    return boxes + [named[name] for name in wanted if name in named and name != CHECKBOX]


def shown_columns(admin: ModelPages, request: HttpRequest) -> list[Any]:
    """The columns of the list as Django counts them, with the boxes that choose rows."""
    pages = cast("Any", admin)
    display = list(pages.get_list_display(request))
    links = pages.get_list_display_links(request, display)
    if pages.get_actions(request):
        display = [CHECKBOX, *display]
    return arranged(admin, request, display, links)


def order_names(columns: Sequence[Any], order: str) -> list[str]:
    """The columns that the parameter `o` of an address names by their places."""
    found = []
    for part in order.split(ORDER_END)[: len(columns)]:
        _none, minus, place = part.rpartition("-")
        if place.isdecimal() and len(place) < 4 and int(place) < len(columns):
            found.append(f"{minus}{column_name(columns[int(place)])}")
    return found


def order_places(columns: Sequence[Any], names: Sequence[str]) -> str:
    """The parameter `o` that sorts by these columns, as far as they are shown."""
    places = {column_name(one): place for place, one in enumerate(columns)}
    return ORDER_END.join(
        f"{'-' if name.startswith('-') else ''}{places[name.removeprefix('-')]}"
        for name in names
        if name.removeprefix("-") in places
    )
