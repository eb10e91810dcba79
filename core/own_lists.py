"""What a person saved of a list: named filters, the one that the list opens with, and its columns.

A later version may drop a column or a filter, so what is stored is checked whenever it is read.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .models import OwnList
from .names import given_name

MOST_FILTERS: Final = 20
LONGEST_NAME: Final = 60
LONGEST_QUERY: Final = 1_000
"""Characters of the filters in an address."""
MOST_COLUMNS: Final = 50


class NotSaved(Exception):
    """Nothing was saved. `str()` says why."""

    def __init__(self, reason: str | Promise) -> None:
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class SavedFilter:
    key: str
    name: str
    query: str
    """The filters and the search as a query string. Relative periods stay relative."""
    order: tuple[str, ...] = ()
    """The columns that sort the list; a minus sign before one that falls."""


def own_list_of(user_id: int, rows_of: str) -> OwnList:
    """The stored row, or an empty one that is not stored."""
    found = OwnList.objects.filter(user_id=user_id, rows_of=rows_of).first()
    return found or OwnList(user_id=user_id, rows_of=rows_of)


def filters_of(own: OwnList) -> list[SavedFilter]:
    stored = own.filters if isinstance(own.filters, list) else []
    return [found for one in stored[:MOST_FILTERS] if (found := _read_filter(one))]


def default_of(own: OwnList) -> SavedFilter | None:
    return next((one for one in filters_of(own) if one.key == own.default), None)


def columns_of(own: OwnList) -> list[str]:
    stored = own.columns if isinstance(own.columns, list) else []
    return [name for name in stored[:MOST_COLUMNS] if isinstance(name, str)]


def save_filter(
    user: User, rows_of: str, name: str, query: str, order: Sequence[str], *, opens: bool
) -> SavedFilter:
    """Save filters under a new name, or instead of the person's own ones of the same name.

    Raises `NotSaved`.
    """
    name = _clean_name(name)
    if len(query) > LONGEST_QUERY:
        raise NotSaved(_("These filters are too long to save. Use fewer of them."))
    with _changed(user, rows_of) as own:
        known = filters_of(own)
        same = next((one for one in known if one.name == name), None)
        key = same.key if same else secrets.token_urlsafe(6)
        saved = SavedFilter(key, name, query, tuple(order))
        if same is None and len(known) >= MOST_FILTERS:
            reason = _("You have saved %(most)s filters of this list. Delete one first.")
            raise NotSaved(reason % {"most": MOST_FILTERS})
        _write(own, [one for one in known if one is not same] + [saved])
        if opens:
            own.default = key
    return saved


def rename_filter(user: User, rows_of: str, key: str, name: str) -> None:
    """Raises `NotSaved`."""
    name = _clean_name(name)
    with _changed(user, rows_of) as own:
        known = filters_of(own)
        if any(one.name == name and one.key != key for one in known):
            raise NotSaved(_("Another saved filter has this name."))
        _write(own, [replace(one, name=name) if one.key == key else one for one in known])


def delete_filter(user: User, rows_of: str, key: str) -> None:
    with _changed(user, rows_of) as own:
        _write(own, [one for one in filters_of(own) if one.key != key])
        if own.default == key:
            own.default = ""


def open_with(user: User, rows_of: str, key: str) -> None:
    """Let the list open with this saved filter. An unknown key means none."""
    with _changed(user, rows_of) as own:
        own.default = key if any(one.key == key for one in filters_of(own)) else ""


def choose_columns(user: User, rows_of: str, names: Sequence[str]) -> None:
    """Show these columns in this order; none means as delivered."""
    with _changed(user, rows_of) as own:
        own.columns = list(names[:MOST_COLUMNS])


@contextmanager
def _changed(user: User, rows_of: str) -> Iterator[OwnList]:
    """The row, to be changed by one request at a time, and stored at the end."""
    with transaction.atomic():
        OwnList.objects.get_or_create(user=user, rows_of=rows_of)
        own = OwnList.objects.select_for_update(no_key=True).get(user=user, rows_of=rows_of)
        yield own
        own.save(update_fields=["filters", "default", "columns"])


def _write(own: OwnList, filters: Sequence[SavedFilter]) -> None:
    own.filters = [asdict(one) for one in sorted(filters, key=lambda one: one.name.casefold())]


def _clean_name(typed: str) -> str:
    name = given_name(typed)
    if not name:
        raise NotSaved(_("Enter a name."))
    if len(name) > LONGEST_NAME:
        raise NotSaved(_("A name has up to %(most)s characters.") % {"most": LONGEST_NAME})
    return name


def _read_filter(stored: Any) -> SavedFilter | None:
    if not isinstance(stored, dict):
        return None
    key, name, query = (stored.get(part) for part in ("key", "name", "query"))
    if not (isinstance(key, str) and isinstance(name, str) and isinstance(query, str)):
        return None
    if not key or not name or len(query) > LONGEST_QUERY:
        return None
    order = stored.get("order")
    order = order if isinstance(order, list) else []
    return SavedFilter(key, name, query, tuple(one for one in order if isinstance(one, str)))
