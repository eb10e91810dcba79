"""What a list shows of the reader's saved filters: the menu, and the chip of the one in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.contrib.admin.views.main import ORDER_VAR
from django.http import HttpRequest
from django.utils.translation import gettext as _

from core.own_lists import SavedFilter, default_of, filters_of
from core.punctuation import label_text

from .filters import NOT_FILTERS, SAVED
from .own_columns import own_list
from .protocols import ModelPages
from .saved_filters import NONE, address_of, drop_number, is_opened, own_url

LEAST_COLUMNS: Final = 3
"""A list with fewer columns has nothing to choose."""


@dataclass(frozen=True)
class MenuLine:
    name: str
    url: str
    is_open: bool
    is_default: bool


class OwnMenu:
    """Asks for the reader's row only when the page shows it."""

    def __init__(self, admin: ModelPages, request: HttpRequest, columns: Sequence[Any]) -> None:
        self.admin = admin
        self.request = request
        self.columns = list(columns)

    @cached_property
    def _default(self) -> SavedFilter | None:
        return default_of(own_list(self.admin, self.request))

    @cached_property
    def lines(self) -> list[MenuLine]:
        found = []
        for one in filters_of(own_list(self.admin, self.request)):
            url = address_of(self.admin, self.request, one, self.columns)
            is_default = one == self._default
            found.append(MenuLine(one.name, url, is_opened(self.request, url), is_default))
        return found

    @property
    def plain_query(self) -> str:
        """The list without filters, which does not open with the default either."""
        return f"?{SAVED}={NONE}" if self._default else "?"

    @property
    def chip(self) -> str:
        """Says which saved filter the list shows, if it shows all of it and nothing else."""
        for line in self.lines:
            if line.is_open:
                kind = _("Opens with") if line.is_default else _("Saved filter")
                return label_text(kind, line.name)
        return ""

    @property
    def url(self) -> str:
        query = self.request.GET.copy()
        query.pop("p", None)
        drop_number(query)
        return own_url(self.admin, query.urlencode())

    @property
    def has_filters(self) -> bool:
        """Whether there is something to save."""
        typed = self.request.GET
        return ORDER_VAR in typed or any(
            value for name, value in typed.items() if name not in NOT_FILTERS
        )

    @property
    def has_choice(self) -> bool:
        return len(self.columns) + len(self.admin.other_columns) >= LEAST_COLUMNS
