"""Rows of each kind in each state, and the address of each page about them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import NoReverseMatch, get_resolver, reverse

NOT_PAGES: Final = {"logout", "autocomplete", "view_on_site", "jsi18n", "app_list"}
TELLING: Final = ("state", "kind", "provider", "outcome", "reason", "status", "action")
"""Fields whose values change what a page says."""


def every_address() -> Iterator[tuple[str, str]]:
    """The name and address of each page, and of each page of one row of each kind."""
    resolver = dict(get_resolver().namespace_dict.items())["admin"][1]
    for name in sorted(key for key in resolver.reverse_dict if isinstance(key, str)):
        if name in NOT_PAGES:
            continue
        try:
            yield name, reverse(f"admin:{name}")
        except NoReverseMatch:
            yield from ((name, address) for address in _of_rows(name))


def _of_rows(name: str) -> Iterator[str]:
    for model in admin.site._registry:
        if name.startswith(f"{model._meta.app_label}_{model._meta.model_name}_"):
            # What a history says does not depend on the row.
            for row in islice(one_of_each(model), 1 if name.endswith("_history") else None):
                yield reverse(f"admin:{name}", args=[getattr(row, "public_id", quote(row.pk))])


def one_of_each(model: type[Model]) -> Iterator[Model]:
    names = {field.name for field in model._meta.concrete_fields} & set(TELLING)
    seen: set[Any] = set()
    for row in model._default_manager.all():
        key = tuple(str(getattr(row, name)) for name in sorted(names))
        if key not in seen:
            seen.add(key)
            yield row
