"""Change lists that link by public_id and tolerate malformed query strings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.admin import checkbox
from unfold.templatetags import unfold_list
from unfold.views import ChangeList

from core.fixed_moment import fixed_or
from core.punctuation import label_text, listed

from .buttons import Button, EmptyState
from .exact_search import text_search_note
from .filters import LocalTimeFilter, RecentFilter, Splits
from .list_pages import counted, indexed_ordering, most_pages, page_of
from .protocols import ModelPages
from .row_requests import want_rows_only, wants_rows_only

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
else:
    AnyPaginator = Paginator


DAYS_OF_MANY_FILTERS: Final = 31
_MANY_FILTERS: Final = _(
    "With these filters together, the list covers the last %(days)s days. Choose a period to see"
    " older rows."
)
ANY_ROW: Final = "any-row"
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


def filter_name(offered: Any) -> str:
    """The field or parameter name of one entry of `list_filter`."""
    if isinstance(offered, tuple):
        return str(offered[0])
    return str(getattr(offered, "parameter_name", offered))


def row_checkbox(obj: Model) -> SafeString:
    """The theme's checkbox, rendered once per language and filled in for each row.

    The theme renders a template for every row, which takes a fifth of the time of a long list.
    """
    box = _checkbox_template(get_language())
    return mark_safe(box.replace(ANY_ROW, escape(str(obj.pk))))  # noqa: S308 - escaped


@cache
def _checkbox_template(language: str | None) -> str:
    return str(checkbox.render(ACTION_CHECKBOX_NAME, ANY_ROW))


_theme_headers: Final = unfold_list.result_headers


def _headers_once(changelist: Any) -> list[dict[str, Any]]:
    if not hasattr(changelist, "headers"):
        changelist.headers = list(_theme_headers(changelist))
    found: list[dict[str, Any]] = changelist.headers
    return found


def cache_headers() -> None:
    """Patch the theme to build the headers of a list once.

    It builds them for every row, which takes an eighth of the time of a long list. The site calls
    this when it builds its URLs, so that importing this module has no side effect.
    """
    unfold_list.result_headers = _headers_once


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

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.request = request
        if wants_rows_only(request):
            return
        # The page links need the page number that is shown, not the requested one.
        self.page_num = self.paginator.validate_number(self.page_num)
        self.empty_state = self.model_admin.get_empty_state(request)
        self.primary = self.model_admin.get_list_primary(request)
        is_default = any(getattr(spec, "default_chip", None) for spec in self.filter_specs)
        # The default period may hide every row of a table that is not empty.
        hidden = is_default and not self.result_count and self.root_queryset.exists()
        self.is_narrowed = bool(self.query or self.has_active_filters or hidden)
        self.clear_url = "?period=all" if hidden else "?"

    # --- the rows ------------------------------------------------------------

    def get_filters(self, request: HttpRequest) -> Any:
        found = super().get_filters(request)
        several = [one for one in found[0] if isinstance(one, Splits) and one.conditions()]
        # One filter is split, the others narrow each of its parts.
        self.split = max(several, key=lambda one: len(one.conditions()), default=None)
        if self.split is not None:
            self.split.is_split = True
        return found

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        self.unsplit: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        self.is_bounded = self._needs_period(request)
        if self.is_bounded:
            since = fixed_or(timezone.now()) - timedelta(days=DAYS_OF_MANY_FILTERS)
            self.unsplit = self.unsplit.filter(**{f"{self.model_admin.time_field}__gte": since})
        return self.unsplit if self.split is None else self.split.narrow(self.unsplit)

    def _needs_period(self, request: HttpRequest) -> bool:
        """Whether the filters are more than an index serves, without a period or a search."""
        pairs = self.model_admin.indexed_pairs
        if pairs is None or self.query:
            return False
        used = [spec for spec in self.filter_specs if self._is_used(request, spec)]
        if any(isinstance(spec, RecentFilter | LocalTimeFilter) for spec in used):
            return False
        names = {getattr(spec, "field_path", None) or spec.parameter_name for spec in used}
        return len(names) > 1 and frozenset(names) not in pairs

    @staticmethod
    def _is_used(request: HttpRequest, spec: Any) -> bool:
        if isinstance(spec, RecentFilter):
            return bool(spec.chosen)
        names = [name for name in spec.expected_parameters() if name]
        return any(request.GET.get(name) for name in names)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        if self.model_admin.sortable_by is None:
            ordering: list[Any] = super().get_ordering(request, queryset)
            return ordering
        return indexed_ordering(self, list(self.model_admin.get_ordering(request)))

    def parts(self) -> list[QuerySet[Any]]:
        """The rows in disjoint parts, of which each has an index."""
        conditions = [Q()] if self.split is None else self.split.conditions()
        return [self.unsplit.filter(condition) for condition in conditions]

    def get_results(self, request: HttpRequest) -> None:
        if wants_rows_only(request):
            return
        parts = self.parts()
        paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        paginator.count = counted(*parts)
        number = paginator.validate_number(self.page_num)
        first = (number - 1) * self.list_per_page
        rows = self.apply_select_related(self.root_queryset)
        self.result_list = page_of(parts, rows, first, first + self.list_per_page)
        if self.is_bounded and request.method == "GET":
            messages.info(request, _MANY_FILTERS % {"days": DAYS_OF_MANY_FILTERS})
        self.model_admin.prepare_rows(self.result_list)
        self.result_count = paginator.count
        self.multi_page = paginator.count > self.list_per_page
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.full_result_count = None
        self.can_show_all = False
        self.paginator = paginator

    @property
    def chips(self) -> list[Chip]:
        """The active filters, each with the URL of the list without it."""
        found = []
        if searched := text_search_note(self.request):
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
