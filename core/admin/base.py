"""The base class of every model's admin.

URLs carry an object's opaque `public_id` where the model has one. A primary key would reveal the
volume of traffic, and a phone number would reveal whose traffic it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, TypeAlias

from django import forms
from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy
from django.views.generic import View

from . import filter_panel
from .buttons import Button, Crumb, EmptyState, Text
from .changelist import LastPagePaginator, PortalChangeList, is_malformed
from .export_jobs.export_page import ExportPage
from .exports import export_buttons
from .filters import filter_name
from .history import LoggedForms
from .left_out import is_refusal, list_without_filters
from .list_export import ListExport
from .list_pages import MOST_COUNTED, counted
from .saved_filters import default_address

MAX_SEARCH_LENGTH = 200
MAX_SEARCH_WORDS = 20
TOO_MANY: Final = _("No change: these are more than %(most)s rows. Narrow the list first.")
SLUG_SCRIPTS = ("urlify.js", "prepopulate.js", "xregexp.js", "xregexp.min.js")
"""Scripts that Django's admin loads on every list and form to prepopulate slug fields."""
CustomPage: TypeAlias = tuple[str, str, "type[View] | Callable[..., Any] | str"]


class PortalAdmin(LoggedForms):
    """A model's pages, with the portal's defaults.

    `pages` adds custom pages: ("send/", "send", SendPage) becomes `admin:<app>_<model>_send`. The
    third element is a `Page` class, a function decorated with `fragment`, or the name of such a
    method of the admin.
    """

    pages: Sequence[CustomPage] = ()
    list_title: Text = ""
    """The title of the list, if it differs from the model's name."""
    counted_as: tuple[Text, Text] | None = None  # One row and several, below the list.
    add_title: Text = ""
    """The label of the Add button and the heading of its form."""
    primary_page: tuple[str, Text, str, str] | None = None
    """Of the list: permission, label, page name, icon."""
    list_export: ListExport | None = None
    """What the list exports; None if it exports nothing."""
    paginator = LastPagePaginator
    list_per_page = 50
    list_max_show_all = 0
    list_fullwidth = True
    list_filter_submit = True
    show_full_result_count = False
    warn_unsaved_form = True
    compressed_fields = False
    preserve_filters = True
    actions: Any = ()
    indexed_pairs: Collection[frozenset[str]] | None = None
    """Of a large table, the filters that an index serves together. Others cover a period."""
    few_rows_by: Collection[str] = ()  # Filters that leave few rows, whatever the others are.
    time_field = "created_at"
    other_columns: Sequence[Any] = ()  # Which a reader may choose beside `list_display`.
    labelled_columns: Collection[str] = ()  # Their titles stand before their values on phones.

    @property
    def media(self) -> forms.Media:
        """Leaves out unused scripts, a third of the script bytes that a list would load."""
        media: Any = super().media
        wanted = [script for script in media._js if not str(script).endswith(SLUG_SCRIPTS)]
        return forms.Media(css=media._css, js=wanted)

    # --- addresses ---------------------------------------------------------
    @property
    def has_public_id(self) -> bool:
        try:
            self.opts.get_field("public_id")
        except FieldDoesNotExist:
            return False
        return True

    def url_name(self, name: str) -> str:
        return f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{name}"

    def object_url(self, obj: Model, name: str = "change") -> str:
        """The URL of the object's page, or of its custom page `name`."""
        identifier = obj.public_id if self.has_public_id else obj.pk  # type: ignore[attr-defined]
        return reverse(self.url_name(name), args=[identifier])

    def list_crumb(self) -> Crumb:
        return Crumb(self.get_list_title(), reverse(self.url_name("changelist")))

    def get_list_title(self) -> str:
        return str(self.list_title or capfirst(str(self.opts.verbose_name_plural)))

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Model | None:
        if from_field or not self.has_public_id:
            found: Model | None = super().get_object(request, object_id, from_field)
            return found
        # Django has unquoted the id, but a public_id may contain what looks like its quoting.
        match = request.resolver_match
        whole = match.kwargs.get("object_id", object_id) if match else object_id
        return self.find(request, whole)

    def find(self, request: HttpRequest, public_id: str) -> Model | None:
        if "\x00" in public_id:
            return None
        found: Model | None = self.get_queryset(request).filter(public_id=public_id).first()
        return found

    def get_or_404(self, request: HttpRequest, public_id: str) -> Any:
        """The object of a custom page or fragment. Raises `Http404`."""
        found = self.find(request, public_id)
        if found is None:
            raise Http404
        return found

    def _get_obj_does_not_exist_redirect(self, *_: Any) -> HttpResponse:
        raise Http404

    # --- custom pages ------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        exports = [("export/", "export", ExportPage)] if self.list_export else []
        own = [self.page_url(*page) for page in (*exports, *self.pages)]
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def page_url(
        self, route: str, name: str, page: type[View] | Callable[..., Any] | str
    ) -> URLPattern:
        view: Any = getattr(self, page) if isinstance(page, str) else page
        if isinstance(view, type):
            view = view.as_view(model_admin=self)  # type: ignore[attr-defined]
        if not getattr(view, "is_fragment", False):
            view = self.admin_site.admin_view(view)
        url: URLPattern = path(
            route, view, name=f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        )
        return url

    # --- the list ----------------------------------------------------------
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PortalChangeList]:
        return PortalChangeList

    def get_list_primary(self, request: HttpRequest) -> Button | None:
        """The list's primary button, which opens `primary_page` or the Add form."""
        if self.primary_page is not None:
            permission, label, page, icon = self.primary_page
            allowed = request.user.has_perm(permission)
            return Button(label, reverse(self.url_name(page)), icon) if allowed else None
        if not self.has_add_permission(request):
            return None
        return Button(self.get_add_title(), reverse(self.url_name("add")), "add")

    def get_add_title(self) -> str:
        usual = pgettext("title", "Add %(name)s") % {"name": self.opts.verbose_name}
        return str(self.add_title or usual)

    def get_exports(self, request: HttpRequest) -> list[Button]:
        if self.list_export is None or not request.user.has_perm(self.list_export.permission):
            return []
        return export_buttons(request, reverse(self.url_name("export")))

    def prepare_rows(self, rows: Sequence[Any]) -> None:
        """Read what the cells of one page need beside their rows, in a few queries for all."""

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("Nothing here yet."), self.get_list_primary(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        # Each word nests the query one level deeper, and SQLite limits the depth.
        if len(search_term) > MAX_SEARCH_LENGTH or len(search_term.split()) > MAX_SEARCH_WORDS:
            return queryset.none(), False
        found: tuple[QuerySet[Any], bool] = super().get_search_results(
            request, queryset, search_term
        )
        return found

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if is_malformed(request):
            return list_without_filters(request)
        wish = filter_panel.take_wish(request)
        if wish == filter_panel.ALONE and request.method == "GET":
            return filter_panel.panel_alone(self, request)
        if not wish and (default := default_address(self, request)):
            return HttpResponseRedirect(default)
        context = {
            "title": self.get_list_title(),
            "trail": [Crumb(self.get_list_title())],
            "are_filters_open": wish == filter_panel.OPEN,
            "exports": self.get_exports(request),
            **(extra_context or {}),
        }
        try:
            answer: HttpResponse = super().changelist_view(request, context)
        except (DisallowedModelAdminLookup, OverflowError):
            return list_without_filters(request)
        return list_without_filters(request) if is_refusal(answer) else answer

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Refuses an action on all rows of a list that counts no further."""
        across = request.POST.get("select_across", "0") not in ("", "0")
        if across and counted(queryset).is_open:
            messages.error(request, TOO_MANY % {"most": f"{MOST_COUNTED:,}"})
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allows only the fields that the list offers as filters.

        By any other field, a user could guess hidden values letter by letter from the number of
        matching rows.
        """
        allowed: bool = super().lookup_allowed(lookup, value, request)
        name = lookup.split("__")[0]
        try:
            self.opts.get_field(name)
        except FieldDoesNotExist:
            # The parameter of a custom filter, which validates it itself.
            return allowed
        offered = self.get_list_filter(request) if request else self.list_filter
        return allowed and name in set(map(filter_name, offered))

    # --- the form ----------------------------------------------------------
    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Staff delete nothing, so that history is kept."""
        return False

    def get_detail_title(self, request: HttpRequest, obj: Any) -> Text:
        return str(obj)

    def get_trail(self, request: HttpRequest, obj: Model | None) -> list[Crumb]:
        title = self.get_detail_title(request, obj) if obj else self.get_add_title()
        return [self.list_crumb(), Crumb(title)]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        trail = self.get_trail(request, obj)
        context = {
            "trail": trail,
            **context,
            "title": trail[-1].title,
            "subtitle": None,
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
            "is_form": True,
        }
        answer: HttpResponse = super().render_change_form(
            request, context, add, change, form_url, obj
        )
        return answer

    def get_saved_message(self, request: HttpRequest, obj: Model, added: bool) -> str | Promise:
        return pgettext_lazy("notice", "Saved.")

    def response_add(
        self, request: HttpRequest, obj: Model, post_url_continue: str | None = None
    ) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            answer: HttpResponse = super().response_add(request, obj, post_url_continue)
            return answer
        return self.redirect_after_save(request, obj, added=True)

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            answer: HttpResponse = super().response_change(request, obj)
            return answer
        return self.redirect_after_save(request, obj, added=False)

    def redirect_after_save(self, request: HttpRequest, obj: Model, *, added: bool) -> HttpResponse:
        self.message_user(request, self.get_saved_message(request, obj, added), messages.SUCCESS)
        return HttpResponseRedirect(self.object_url(obj))
