"""The pages about rented numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from core.admin import live
from core.admin.base import PortalAdmin, ReadOnlyAdmin
from core.admin.buttons import Button, EmptyState
from core.admin.exports import export_buttons
from core.admin.labels import state_label
from core.admin.pages import fragment
from core.admin.timeline import person_name
from core.countries import country_name
from core.phone import search_key
from core.templatetags.portal import amount
from core.times import when

from .. import board, filters, order_page
from ..actions import CancelPage, FoundPage, HandPage, HidePage, RevealPage, SettlePage
from ..catalogue import project_names, renting_providers
from ..exporting import export_orders
from ..labels import shown_state
from ..models import Order, Project, Region
from ..rent_page import RentPage, pair_fragment
from ..visibility import display_name, may_see_whole


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    detail_template = "rentals/order.html"
    list_title = _("Orders")
    list_display = ("state_", "account", "price_", "holder", "time")
    list_filter = filters.ORDERS
    search_fields = ("provider_id",)
    search_help_text = _("A whole number or an order id")
    ordering = ("-created_at", "-pk")
    pages = (
        ("rent/", "rent", RentPage),
        ("rent/pair/", "pair", pair_fragment),
        ("board/", "board", board.BoardPage),
        ("board/changes/", "board_changes", board.changes),
        ("changes/", "changes", "changes"),
        ("found/", "found", FoundPage),
        ("export/", "export", "export"),
        ("<str:object_id>/live/", "live", "live"),
        ("<str:object_id>/cancel/", "cancel", CancelPage),
        ("<str:object_id>/settle/", "settle", SettlePage),
        ("<str:object_id>/reveal/", "reveal", RevealPage),
        ("<str:object_id>/hide/", "hide", HidePage),
        ("<str:object_id>/hand/", "hand", HandPage),
    )

    class Media:
        css: ClassVar = {"all": ("portal/messaging.css", "portal/rentals.css")}
        js: ClassVar = ("portal/live_list.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        rows: QuerySet[Order] = super().get_queryset(request)
        related = ("account", "account__watch", "held_by", "created_by", "settled_by", "ended_by")
        return rows.select_related(*related)

    # --- the list ------------------------------------------------------------

    @admin.display(description=_("State"), ordering="state")
    def state_(self, order: Order) -> SafeString:
        return state_label("order", shown_state(order))

    @admin.display(description=_("Price"), ordering="price")
    def price_(self, order: Order) -> str:
        return amount(order.price)

    @admin.display(description=_("Held by"), ordering="held_by")
    def holder(self, order: Order) -> str:
        return person_name(order.held_by)

    @admin.display(description=_("Time"), ordering="created_at")
    def time(self, order: Order) -> SafeString:
        return when(order.created_at)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        only = self._only_hit(request)
        if only is not None:
            return HttpResponseRedirect(self.object_url(only))
        may = request.user.has_perm("rentals.export_order")
        address = reverse(self.url_name("export"))
        context = {"exports": export_buttons(request, address) if may else []}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def _only_hit(self, request: HttpRequest) -> Order | None:
        """The order that a whole id names; searching for it is opening it."""
        term = request.GET.get("q", "").strip()
        if request.method != "GET" or not term or "\x00" in term:
            return None
        found = self.get_queryset(request).filter(Q(public_id=term) | Q(provider_id=term))
        first = list(found[:2])
        return first[0] if len(first) == 1 else None

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        # What a reader sees of a number depends on who reads, so the column is made anew.
        state, *rest = self.list_display
        number = order_page.number_column(request.user)
        return [state, number, order_page.app_column(project_names()), *rest]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> list[Any]:
        return list(list_display[:2])

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(public_id=term[:24]) | Q(provider_id=term[:100])
        number = search_key(term)
        if number:
            found |= Q(phone=number)
        return queryset.filter(found), False

    def get_list_primary(self, request: HttpRequest) -> Button | None:
        if not request.user.has_perm("rentals.rent_order"):
            return None
        return Button(_("Rent a number"), reverse(self.url_name("rent")), "add_call")

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("No numbers rented yet."), self.get_list_primary(request), "add_call")

    def export(self, request: HttpRequest) -> Any:
        return export_orders(self, request)

    @fragment("rentals.view_order")
    def changes(self, request: HttpRequest) -> HttpResponse:
        number = order_page.number_column(request.user)
        return live.changes(
            self,
            request,
            lambda order: {
                "state_": self.state_(order),
                "number": number(order),
                "price_": self.price_(order),
            },
        )

    # --- one order -----------------------------------------------------------

    def get_detail_title(self, request: HttpRequest, obj: Order) -> str:
        return display_name(obj, whole=may_see_whole(obj, request.user))

    def get_detail_context(self, request: HttpRequest, obj: Order) -> Mapping[str, Any]:
        return order_page.page_of(self, request, obj)

    @fragment("rentals.view_order")
    def live(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.get_or_404(request, object_id)
        context = order_page.context_of(self, request, order)
        return render(request, "rentals/live.html", {"object": order, **context})


class CatalogueAdmin(PortalAdmin):
    """Lists that staff keep. What was rented under a row stays when it is not offered."""

    list_filter = ("provider", "is_offered")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "provider" and field is not None:
            choices = renting_providers()
            field.widget = UnfoldAdminSelectWidget(choices=choices)
            field.initial = choices[0][0]
        return field


@admin.register(Project)
class ProjectAdmin(CatalogueAdmin):
    list_title = _("Apps")
    add_title = _("Add app")
    list_display = ("name", "code", "provider", "is_offered")


@admin.register(Region)
class RegionAdmin(CatalogueAdmin):
    list_title = _("Countries/regions")
    add_title = _("Add country/region")
    list_display = ("named", "code", "remark", "provider", "is_offered")

    @admin.display(description=_("name"), ordering="code")
    def named(self, region: Region) -> str:
        return country_name(region.code)
