"""The page on which people save filters of a list and choose its columns, each for themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, cast

from django.apps import apps
from django.contrib import admin as django_admin
from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.generic import TemplateView
from unfold.sites import UnfoldAdminSite

from core.own_lists import (
    LONGEST_NAME,
    MOST_FILTERS,
    NotSaved,
    choose_columns,
    columns_of,
    delete_filter,
    filters_of,
    open_with,
    rename_filter,
    save_filter,
)
from core.punctuation import label_text

from .base import PortalAdmin
from .buttons import Crumb, Text
from .export_jobs.list_request import list_request
from .filters import SAVED
from .list_rows import CHECKBOX
from .own_columns import (
    column_name,
    declared_columns,
    fixed_columns,
    order_names,
    order_places,
    own_list,
    rows_of,
    shown_columns,
)
from .pages import NeedsPermission, Page, current_user
from .row_requests import want_choices
from .saved_filters import NONE, address_of, drop_number, known_query, may_be_number, own_url

QUERY: Final = "query"


@dataclass(frozen=True)
class ColumnLine:
    name: str
    title: str
    is_shown: bool
    is_fixed: bool


class OwnListPage(Page, TemplateView):
    template_name = "portal/own_list.html"
    http_method_names = ["get", "post"]
    model_admin: PortalAdmin

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        try:
            model = apps.get_model(kwargs["rows_of"])
        except (LookupError, ValueError):
            raise Http404 from None
        found = django_admin.site._registry.get(model)
        if not isinstance(found, PortalAdmin):
            raise Http404
        self.model_admin = found

    def has_permission(self) -> bool:
        allowed: bool = self.model_admin.has_view_permission(self.request)
        return allowed

    def handle_no_permission(self) -> Any:
        opts = self.model_admin.opts
        raise NeedsPermission(f"{opts.app_label}.view_{opts.model_name}")

    def get_title(self) -> Text:
        return _("My filters and columns")

    def get_trail(self) -> list[Crumb]:
        return [self.model_admin.list_crumb(), Crumb(self.get_title())]

    # --- what the page shows -------------------------------------------------

    @cached_property
    def query(self) -> QueryDict:
        """The known filters of the list from which the reader came."""
        asked = self.request.POST.get(QUERY, "")
        asked = asked if self.request.method == "POST" else self.request.META["QUERY_STRING"]
        return known_query(self.model_admin, self.request, asked)

    @cached_property
    def order(self) -> list[str]:
        asked = self.request.POST.get("order", "")
        if self.request.method != "POST":
            asked = self.request.GET.get(ORDER_VAR, "")
        return order_names(shown_columns(self.model_admin, self.request), asked)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        own = own_list(self.model_admin, self.request)
        columns = shown_columns(self.model_admin, self.request)
        list_url = reverse(self.model_admin.url_name("changelist"))
        saved = [
            (
                one,
                list_url + address_of(self.model_admin, self.request, one, columns),
                one.key == own.default,
            )
            for one in filters_of(own)
        ]
        lines = self.column_lines()
        return {
            **super().get_context_data(**kwargs),
            "words": self.words(),
            "query": self.query.urlencode(),
            "order": order_places(columns, self.order),
            "list_url": f"{list_url}?{self.list_query()}",
            "list_title": self.model_admin.get_list_title(),
            "saved": saved,
            "most": MOST_FILTERS,
            "longest_name": LONGEST_NAME,
            "columns": lines,
            "is_chosen": bool(columns_of(own)),
        }

    def words(self) -> list[str]:
        """The filters, the search and the order in words. Empty: there is nothing to save."""
        if not self.query and not self.order:
            return []
        words = [chip.text for chip in self.listed().chips] if self.query else []
        if term := self.query.get(SEARCH_VAR):
            words.append(label_text(pgettext("export", "Search"), term))
        if self.order:
            titles = (self.title_of(name.removeprefix("-")) for name in self.order)
            words += [label_text(_("Sorted by"), title) for title in titles]
        return words

    def listed(self) -> Any:
        """The list with these filters, without its rows. Raises `NotSaved` if it rejects them."""
        query = self.query.copy()
        query.pop(SEARCH_VAR, None)
        request = list_request(
            self.model_admin, current_user(self.request), query.urlencode(), original=self.request
        )
        request.wants_rows_only = False  # type: ignore[attr-defined]
        want_choices(request, alone=True)
        try:
            return self.model_admin.get_changelist_instance(request)
        except (DisallowedModelAdminLookup, IncorrectLookupParameters):
            raise Http404 from None

    def title_of(self, name: str) -> str:
        admin = self.model_admin
        for column in declared_columns(admin, self.request):
            if column_name(column) == name:
                return capfirst(str(label_for_field(column, admin.model, cast("Any", admin))))
        return name

    def column_lines(self) -> list[ColumnLine]:
        """The shown columns in their order, then the others."""
        shown = [column_name(one) for one in shown_columns(self.model_admin, self.request)]
        shown = [name for name in shown if name != CHECKBOX]
        declared = map(column_name, declared_columns(self.model_admin, self.request))
        others = [name for name in declared if name not in shown]
        fixed = fixed_columns(self.model_admin, self.request)
        return [
            ColumnLine(name, self.title_of(name), name in shown, name in fixed)
            for name in [*shown, *others]
        ]

    def list_query(self) -> str:
        """The list from which the reader came. Its order is by name, so that columns may move."""
        query = self.query.copy()
        places = order_places(shown_columns(self.model_admin, self.request), self.order)
        if places:
            query[ORDER_VAR] = places
        drop_number(query)
        if not query:
            query[SAVED] = NONE
        return query.urlencode()

    # --- what it does --------------------------------------------------------

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        act, _colon, target = request.POST.get("act", "").partition(":")
        acts: dict[str, Callable[[str], HttpResponse]] = {
            "save": self.save,
            "rename": self.rename,
            "delete": self.delete,
            "default": self.default,
            "columns": self.choose,
            "reset": self.reset,
            "up": lambda name: self.move(name, -1),
            "down": lambda name: self.move(name, 1),
        }
        try:
            return acts[act](target) if act in acts else self.back()
        except NotSaved as problem:
            messages.error(request, str(problem))
            return self.back()

    def save(self, _target: str) -> HttpResponse:
        posted = self.request.POST
        if not self.query and not self.order:
            raise NotSaved(_("Choose filters, a search or an order in the list first."))
        if may_be_number(self.query.get(SEARCH_VAR, "")):
            raise NotSaved(
                _(
                    "A search for a phone number is not saved, so that addresses hold no number."
                    " Remove the search and save the other filters."
                )
            )
        self.listed()
        person, rows = current_user(self.request), rows_of(self.model_admin)
        name, query, opens = posted.get("name", ""), self.query.urlencode(), "opens" in posted
        try:
            saved = save_filter(person, rows, name, query, self.order, opens=opens)
        except NotSaved as problem:
            refused = {"problem": str(problem), "typed": name}
            return self.render_to_response(self.get_context_data() | refused)
        messages.success(self.request, _("Filter saved."))
        url = reverse(self.model_admin.url_name("changelist"))
        return HttpResponseRedirect(url + address_of(self.model_admin, self.request, saved))

    def rename(self, key: str) -> HttpResponse:
        name = self.request.POST.get("name", "")
        rename_filter(current_user(self.request), rows_of(self.model_admin), key, name)
        messages.success(self.request, pgettext("notice", "Saved."))
        return self.back()

    def delete(self, key: str) -> HttpResponse:
        delete_filter(current_user(self.request), rows_of(self.model_admin), key)
        messages.success(self.request, _("Saved filter deleted."))
        return self.back()

    def default(self, key: str) -> HttpResponse:
        open_with(current_user(self.request), rows_of(self.model_admin), key)
        messages.success(self.request, pgettext("notice", "Saved."))
        return self.back()

    def choose(self, _target: str) -> HttpResponse:
        return self._store(self._posted_columns(), to_list=True)

    def reset(self, _target: str) -> HttpResponse:
        return self._store([], to_list=True)

    def move(self, name: str, step: int) -> HttpResponse:
        names = self._posted_columns()
        first = names[:1]
        rest = [one for one in names if one not in first]
        if name in rest:
            place = rest.index(name)
            rest.insert(min(max(place + step, 0), len(rest) - 1), rest.pop(place))
        return self._store(first + rest, to_list=False)

    def _posted_columns(self) -> list[str]:
        """The ticked columns in the order of the form, of those that exist for the reader."""
        fixed = fixed_columns(self.model_admin, self.request)
        ticked = set(self.request.POST.getlist("shown")) | set(fixed)
        declared = [column_name(one) for one in declared_columns(self.model_admin, self.request)]
        listed = [name for name in self.request.POST.getlist("column") if name in declared]
        names = dict.fromkeys([fixed[0], *listed, *fixed])
        return [name for name in names if name in ticked]

    def _store(self, names: Sequence[str], *, to_list: bool) -> HttpResponse:
        # The order of the list is read before its columns move.
        _order = self.order
        choose_columns(current_user(self.request), rows_of(self.model_admin), names)
        self.request.__dict__.pop("asked_once", None)
        if to_list:
            url = reverse(self.model_admin.url_name("changelist"))
            return HttpResponseRedirect(f"{url}?{self.list_query()}")
        return self.back("columns")

    def back(self, part: str = "") -> HttpResponse:
        url = own_url(self.model_admin, self.list_query())
        return HttpResponseRedirect(f"{url}#{part}" if part else url)


def own_list_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    view = site.admin_view(OwnListPage.as_view())
    return [path("my-lists/<str:rows_of>/", view, name="own_list")]
