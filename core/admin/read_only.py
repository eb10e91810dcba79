"""Admins for objects that staff view and act on but never edit: messages, sessions, orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import pgettext_lazy

from core.phones.parse import search_key
from core.phones.searches import TOO_MANY, allow_search
from core.times import when
from core.visibility import may_reveal

from .base import PortalAdmin
from .buttons import Crumb
from .exact_search import keys_of
from .live import Cells, changed_cells
from .object_panels import panels_of
from .once import once
from .pages import current_user, fragment, refuse_fragment
from .row_requests import repeats_search


class ReadOnlyAdmin(PortalAdmin):
    """Forbids adding, changing and deleting. An object's page is a custom template.

    The template extends "portal/page.html". Its context has `object`, the values of
    `get_detail_context`, and the panels of other apps for "portal/object_panels.html".
    """

    detail_template = "portal/detail.html"
    preserve_filters = False
    """No page of an object returns to its list, so its address need not repeat the filters."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_detail_context(self, request: HttpRequest, obj: Any) -> Mapping[str, Any]:
        return {}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        obj = self.get_object(request, object_id) if object_id else None
        if not self.has_view_permission(request, obj) or request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        if obj is None:
            raise Http404
        title = self.get_detail_title(request, obj)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "object": obj,
            "model_admin": self,
            "title": title,
            "trail": [self.list_crumb(), Crumb(title)],
            **(extra_context or {}),
            **self.get_detail_context(request, obj),
            "object_panels": panels_of(request, obj),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.detail_template, context)


def may_ask_for(admin: PortalAdmin, request: HttpRequest, number: str) -> bool:
    """Whether this reader is told if the list has the number. If not, the page says why."""
    reader = current_user(request)
    if may_reveal(admin.model, reader) or repeats_search(request):
        return True
    allowed = allow_search(number, reader, where=admin.opts.label_lower)
    if not allowed and request.method == "GET" and not hasattr(request, "said_too_many"):
        request.said_too_many = True  # type: ignore[attr-defined]
        messages.error(request, str(TOO_MANY))
    return allowed


class TrackedAdmin(ReadOnlyAdmin):
    """Keeps the list's cells up to date. A search for a full id opens the object.

    The subclass lists the pages "changes/" and "<str:object_id>/live/" in `pages`.
    """

    number_field = "recipient"
    """The phone number field that a search matches in full, however it is written."""
    live_template = ""
    """The template of the part of an object's page that is polled."""

    class Media:
        js = ("portal/live_list.js",)

    # --- for the subclass ----------------------------------------------------

    def find_ids(self, term: str) -> list[int]:
        """The keys of the objects whose public id or provider's id is exactly `term`."""
        raise NotImplementedError

    def match_number(self, number: str) -> Q:
        """The condition for objects with this number (E.164)."""
        return Q(**{self.number_field: number})

    def search_text(
        self, request: HttpRequest, rows: QuerySet[Any], term: str
    ) -> QuerySet[Any] | None:
        """Those of `rows` whose text has the term, which is no id and no number.

        None if the list has no texts, or none for this reader.
        """
        return None

    def reader_columns(self, request: HttpRequest) -> Sequence[Any]:
        """The columns after the first, built for each request.

        Whether numbers are masked depends on the reader.
        """
        return ()

    def live_cells(self, request: HttpRequest) -> Cells:
        """The function that returns a row's cells that may change while the list is open."""
        raise NotImplementedError

    def get_live_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        raise NotImplementedError

    # --- the list ------------------------------------------------------------

    @display(description=pgettext_lazy("column", "Time"), ordering="created_at")
    def time(self, obj: Any) -> SafeString:
        return when(obj.created_at)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        state, *rest = self.list_display
        return [state, *self.reader_columns(request), *rest]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> list[Any]:
        return list(list_display[:2])

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        keys = list(self._ids_of(request, term))
        number = search_key(term)
        if number:
            if may_ask_for(self, request, number):
                of_number = self.match_number(number)
                if not keys:
                    return queryset.filter(of_number), False
                keys += keys_of(self.model._default_manager.filter(of_number))
        elif not keys:
            texts = self.search_text(request, queryset, term)
            if texts is not None:
                return texts, False
        return queryset.filter(pk__in=keys), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        only = self._only_hit(request)
        if only is not None:
            return HttpResponseRedirect(self.object_url(only))
        return super().changelist_view(request, extra_context)

    def _ids_of(self, request: HttpRequest, term: str) -> list[int]:
        return once(request, f"ids of {term}", lambda: self.find_ids(term))

    def _only_hit(self, request: HttpRequest) -> Model | None:
        """The object whose id is exactly the search term, if there is one."""
        term = request.GET.get("q", "").strip()
        if request.method != "GET" or not term:
            return None
        keys = self._ids_of(request, term)
        found = list(self.get_queryset(request).filter(pk__in=keys)[:2]) if keys else []
        return found[0] if len(found) == 1 else None

    # --- fragments that open pages poll --------------------------------------

    def _refused(self, request: HttpRequest) -> HttpResponse | None:
        opts = self.opts
        return refuse_fragment(request, (f"{opts.app_label}.view_{opts.model_name}",))

    @fragment()
    def changes(self, request: HttpRequest) -> HttpResponse:
        return self._refused(request) or changed_cells(self, request, self.live_cells(request))

    @fragment()
    def live(self, request: HttpRequest, object_id: str) -> HttpResponse:
        refused = self._refused(request)
        if refused:
            return refused
        obj = self.get_or_404(request, object_id)
        context = {"object": obj, **self.get_live_context(request, obj)}
        return render(request, self.live_template, context)
