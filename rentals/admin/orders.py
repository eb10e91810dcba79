"""Admin pages of orders and of the apps and countries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from core.admin.base import PortalAdmin
from core.admin.buttons import EmptyState
from core.admin.exact_search import keys_of
from core.admin.labels import state_label
from core.admin.live import Cells
from core.admin.once import once
from core.admin.read_only import TrackedAdmin
from core.countries import country_name
from core.masking import data
from core.people import person_name
from core.templatetags.portal import amount
from core.times import when
from core.visibility import may_see_whole
from providers.admin.account_cell import AccountCell

from ..catalogue import known_remark, project_names, renting_providers
from ..find_orders import find_orders
from ..models import Order, Project, Region
from ..presentation.labels import shown_state
from ..presentation.visibility import display_name
from . import board, filters, order_page
from .actions import CancelPage, FoundPage, HandOverPage, HidePage, RevealPage, SettlePage
from .export import ORDERS, PROJECTS, REGIONS
from .favourite_page import FavouritePage
from .rent_page import RentPage, pair_fragment


@admin.register(Order)
class OrderAdmin(AccountCell, TrackedAdmin):
    detail_template = "rentals/order.html"
    live_template = "rentals/live.html"
    number_field = "phone"
    primary_page = ("rentals.rent_order", _("Rent a number"), "rent", "add_call")
    list_export = ORDERS
    list_title = pgettext_lazy("title", "Orders")
    list_display = ("state_", "account_", "price_", "holder", "time")
    other_columns = ("order_id_", "ends_", "ended_")
    indexed_pairs = (frozenset({"account", "shown"}), frozenset({"project", "region"}))
    few_rows_by = ("ending",)
    sortable_by = ("time",)
    list_filter = filters.ORDERS
    search_fields = ("provider_id",)
    search_help_text = _("Full phone number or order ID")
    ordering = ("-created_at", "-pk")
    pages = (
        ("rent/", "rent", RentPage),
        ("rent/pair/", "pair", pair_fragment),
        ("rent/favourite/", "favourite", FavouritePage),
        ("board/", "board", board.BoardPage),
        ("board/changes/", "board_changes", board.changes),
        ("changes/", "changes", "changes"),
        ("found/", "found", FoundPage),
        ("<str:object_id>/live/", "live", "live"),
        ("<str:object_id>/cancel/", "cancel", CancelPage),
        ("<str:object_id>/settle/", "settle", SettlePage),
        ("<str:object_id>/reveal/", "reveal", RevealPage),
        ("<str:object_id>/hide/", "hide", HidePage),
        ("<str:object_id>/hand/", "hand", HandOverPage),
    )

    class Media:
        css: ClassVar = {"all": ("portal/messaging.css", "portal/rentals.css")}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        rows: QuerySet[Order] = super().get_queryset(request)
        related = (
            "account",
            "account__watch",
            "held_by",
            "created_by",
            "settled_by",
            "ended_by",
            "hold",
        )
        return rows.select_related(*related)

    # --- the list ------------------------------------------------------------

    @admin.display(description=pgettext_lazy("column", "State"), ordering="state")
    def state_(self, order: Order) -> SafeString:
        return state_label("order", shown_state(order))

    @admin.display(description=pgettext_lazy("column", "Price"), ordering="price")
    def price_(self, order: Order) -> str:
        return amount(order.price)

    @admin.display(description=_("Held by"), ordering="held_by")
    def holder(self, order: Order) -> SafeString:
        return data(person_name(order.held_by))

    def reader_columns(self, request: HttpRequest) -> list[Any]:
        apps = once(request, "projects", project_names)
        return [order_page.number_column(request.user), order_page.app_column(apps)]

    def find_ids(self, term: str) -> list[int]:
        return find_orders(term)

    def match_number(self, number: str) -> Q:
        # A provider may have stated it without the plus sign.
        forms = (number, number.removeprefix("+"))
        return Q(pk__in=keys_of(*(Order.objects.filter(phone=form) for form in forms)))

    @admin.display(description=_("Order id"))
    def order_id_(self, order: Order) -> SafeString:
        return data(order.provider_id)

    @admin.display(description=_("Ends at"))
    def ends_(self, order: Order) -> SafeString:
        return when(order.expires_at)

    @admin.display(description=_("Ended at"))
    def ended_(self, order: Order) -> SafeString:
        return when(order.ended_at)

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("No numbers rented yet."), self.get_list_primary(request), "add_call")

    def live_cells(self, request: HttpRequest) -> Cells:
        number = order_page.number_column(request.user)
        return lambda order: {
            "state_": self.state_(order),
            "number": number(order),
            "price_": self.price_(order),
        }

    # --- one order -----------------------------------------------------------

    def get_detail_title(self, request: HttpRequest, obj: Order) -> str:
        return display_name(obj, unmasked=may_see_whole(obj, request.user))

    def get_detail_context(self, request: HttpRequest, obj: Order) -> Mapping[str, Any]:
        return order_page.page_context(self, request, obj)

    def get_live_context(self, request: HttpRequest, obj: Order) -> dict[str, Any]:
        return order_page.live_context(self, request, obj)


class CatalogueAdmin(PortalAdmin):
    """Lists that staff maintain. Past orders keep an entry that is no longer offered."""

    list_filter = (filters.ProviderFilter, "is_offered")

    @admin.display(description=pgettext_lazy("field", "code"), ordering="code")
    def code_shown(self, row: Project | Region) -> SafeString:
        return data(row.code)

    @admin.display(description=pgettext_lazy("column", "Provider"), ordering="provider")
    def provider_shown(self, row: Project | Region) -> SafeString:
        return data(dict(renting_providers()).get(row.provider, row.provider))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "provider" and field is not None:
            choices = renting_providers()
            field.widget = UnfoldAdminSelectWidget(choices=choices)
            field.initial = choices[0][0]
        return field


@admin.register(Project)
class ProjectAdmin(CatalogueAdmin):
    list_export = PROJECTS
    list_title = pgettext_lazy("title", "Apps")
    add_title = _("Add app")
    list_display = ("name_shown", "code_shown", "provider_shown", "is_offered")

    @admin.display(description=pgettext_lazy("column", "Name"), ordering="name")
    def name_shown(self, project: Project) -> SafeString:
        return data(project.name)


@admin.register(Region)
class RegionAdmin(CatalogueAdmin):
    list_export = REGIONS
    list_title = pgettext_lazy("title", "Countries/regions")
    add_title = _("Add country/region")
    list_display = ("named", "code_shown", "remark_shown", "provider_shown", "is_offered")

    @admin.display(description=pgettext_lazy("column", "Name"), ordering="code")
    def named(self, region: Region) -> str:
        return country_name(region.code)

    @admin.display(description=pgettext_lazy("column", "Remark"))
    def remark_shown(self, region: Region) -> str | SafeString:
        return known_remark(region) or data(region.remark)
