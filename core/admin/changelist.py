"""Change lists that link by public_id and tolerate malformed query strings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest
from unfold.views import ChangeList

from core.punctuation import label_text, listed

from . import filter_panel
from .buttons import Button, EmptyState
from .exact_search import text_search_chip, text_search_note
from .filters import SAVED, OneOfFilter, Splits
from .left_out import left_out_notes, unused_names
from .list_bounds import bounds_of, bounds_text
from .list_pages import counted, indexed_ordering, most_pages, page_of
from .own_columns import arranged
from .own_menu import OwnMenu
from .protocols import ModelPages
from .row_requests import want_rows_only, wants_page

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator


MALFORMED: Final = re.compile(r"[0-9]{16}")
"""A number too large for a database integer."""


def is_malformed(request: HttpRequest) -> bool:
    """Whether the query string holds a filter value that a database would reject."""
    return any(
        MALFORMED.search(value)
        for name, values in request.GET.lists()
        if name != "q"
        for value in values
    )


def open_changelist(admin: ModelPages, request: HttpRequest) -> PortalChangeList:
    """The rows and filters of the list at this URL, without count, page and choices.

    Raises `Http404` if the admin rejects its filters.
    """
    want_rows_only(request)
    try:
        found: PortalChangeList = admin.get_changelist_instance(request)
    except (DisallowedModelAdminLookup, IncorrectLookupParameters):
        raise Http404 from None
    return found


class LastPagePaginator(AnyPaginator):
    """A page number past the end means the last page, because rows move while staff read.

    Counts up to `MOST_COUNTED` rows, and has no pages beyond them: both take longer with each row.
    """

    @cached_property
    def count(self) -> int:
        return counted(cast("QuerySet[Any]", self.object_list))

    @cached_property
    def num_pages(self) -> int:
        return min(super().num_pages, most_pages(self.per_page))

    def validate_number(self, number: Any) -> int:
        return min(max(int(number), 1), self.num_pages)


@dataclass(frozen=True)
class Chip:
    text: str
    url: str


class PortalChangeList(ChangeList):
    page_num: int
    model_admin: ModelPages
    empty_state: EmptyState
    primary: Button | None
    result_count: int

    def __init__(
        self, request: HttpRequest, model: Any, display: Any, links: Any, *args: Any, **kwargs: Any
    ) -> None:
        self.request = request
        admin: ModelPages = args[-3] if args else kwargs["model_admin"]
        if wants_page(request) or ORDER_VAR in request.GET:
            display = arranged(admin, request, display, links)
        self.own = OwnMenu(admin, request, display)
        super().__init__(request, model, display, links, *args, **kwargs)
        if not wants_page(request):
            return
        # The page links need the page number that is shown, not the requested one.
        self.page_num = self.paginator.validate_number(self.page_num)
        self.empty_state = self.model_admin.get_empty_state(request)
        self.primary = self.model_admin.get_list_primary(request)
        is_default = any(getattr(spec, "default_chip", None) for spec in self.filter_specs)
        # The default period may hide every row of a table that is not empty.
        hidden = is_default and not self.result_count and self.root_queryset.exists()
        self.is_narrowed = bool(self.query or self.has_active_filters or hidden)
        self.clear_url = "?period=all" if hidden else self.own.plain_query
        names = self.model_admin.counted_as
        names = names or (self.opts.verbose_name, self.opts.verbose_name_plural)
        self.row_name = names[0 if self.result_count == 1 else 1]

    # --- the rows ------------------------------------------------------------

    def get_query_string(self, *args: Any, **kwargs: Any) -> str:
        found: str = super().get_query_string(*args, **kwargs)
        # Without filters, the list would open with the reader's own default again.
        return self.own.plain_query if found == "?" and wants_page(self.request) else found

    def get_filters_params(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(*args, **kwargs)
        return {name: value for name, value in found.items() if name != SAVED}

    def get_filters(self, request: HttpRequest) -> Any:
        found = super().get_filters(request)
        self.unused_names = unused_names(self.filter_params, found[0], found[2])
        several = [one for one in found[0] if isinstance(one, Splits) and one.chosen]
        # One filter is split, the others narrow each of its parts.
        self.split = max(several, key=lambda one: len(one.chosen), default=None)
        if self.split is not None:
            self.split.is_split = True
        return found

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        self.unsplit: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        self.bounds = bounds_of(request, self)
        if self.bounds is not None:
            name = self.model_admin.time_field
            self.unsplit = self.unsplit.filter(**{f"{name}__range": self.bounds})
        return self.unsplit if self.split is None else self.split.narrow(self.unsplit)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        if self.model_admin.sortable_by is None:
            ordering: list[Any] = super().get_ordering(request, queryset)
            return ordering
        usual = self.model_admin.get_ordering(request)
        for spec in self.filter_specs:
            if isinstance(spec, OneOfFilter) and spec.value():
                usual = spec.ordering or usual
        return indexed_ordering(self, list(usual))

    def parts(self) -> list[QuerySet[Any]]:
        """The rows in disjoint parts, of which each has an index."""
        conditions = [Q()] if self.split is None else self.split.chosen
        return [self.unsplit.filter(condition) for condition in conditions]

    def get_results(self, request: HttpRequest) -> None:
        if not wants_page(request):
            return
        parts = self.parts()
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        paginator.count = counted(*parts)
        number = paginator.validate_number(self.page_num)
        first = (number - 1) * self.list_per_page
        rows = self.apply_select_related(self.root_queryset)
        self.result_list = page_of(parts, rows, first, first + self.list_per_page)
        if request.method == "GET":
            notes = (self.bounds and bounds_text(self.bounds), text_search_note(request))
            for note in filter(None, notes):
                messages.info(request, note)
            for note in left_out_notes(self, request):
                messages.warning(request, note)
        self.model_admin.prepare_rows(self.result_list)
        self.result_count = paginator.count
        self.multi_page = paginator.count > self.list_per_page
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.full_result_count = None
        self.can_show_all = False
        self.paginator = paginator

    @property
    def filters_url(self) -> str:
        """The list with its panel of filters open, for browsers without scripts."""
        url: str = self.get_query_string({filter_panel.PARAMETER: filter_panel.OPEN})
        return url

    @property
    def chips(self) -> list[Chip]:
        """The active filters, each with the URL of the list without it."""
        found = []
        if searched := text_search_chip(self.request):
            url = self.get_query_string(remove=[SEARCH_VAR])
            found.append(Chip(searched, url))
        for spec in self.filter_specs:
            default_chip = getattr(spec, "default_chip", None)
            if default_chip:
                text, other_value = default_chip
                url = self.get_query_string({spec.parameter_name: other_value})
                found.append(Chip(text, url))
            names = [name for name in spec.expected_parameters() if name]
            if any(name in self.params or name in self.filter_params for name in names):
                url = self.get_query_string(remove=names)
                found.append(Chip(self._chip_text(spec), url))
        return found

    def _chip_text(self, spec: Any) -> str:
        chosen = self._chosen(spec)
        return label_text(spec.title, chosen) if chosen else str(spec.title)

    def _chosen(self, spec: Any) -> str:
        """The value of a filter, by the label of its choice if it has one."""
        for choice in spec.choices(self):
            if choice.get("selected") and choice.get("display"):
                return str(choice["display"])
        # Django's filters list pairs of value and label, or values alone.
        choices = getattr(spec, "lookup_choices", ())
        pairs = [one if isinstance(one, tuple | list) else (one,) for one in choices]
        words = {str(pair[0]): str(pair[-1]) for pair in pairs}
        values: list[str] = []
        for value in spec.used_parameters.values():
            values += value if isinstance(value, list) else [value]
        return listed(words.get(str(value), str(value)) for value in values if value)

    def url_for_result(self, result: Model) -> str:
        return self.model_admin.object_url(result)
