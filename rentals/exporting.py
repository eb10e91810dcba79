"""Orders and transactions as files. Codes and texts are in none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from core.admin import exports
from core.admin.base import PortalAdmin
from core.admin.labels import label_for
from core.admin.pages import NeedsPermission, person
from core.countries import country_name
from core.phone import mask
from core.templatetags.portal import amount

from .labels import shown_state
from .models import Order, Transaction
from .timeline import name_of, type_word
from .visibility import may_see_whole

if TYPE_CHECKING:
    from .admin import OrderAdmin, TransactionAdmin

Column = exports.Column


def export_orders(admin: OrderAdmin, request: HttpRequest) -> HttpResponseBase:
    """The list as it is filtered. Numbers are whole where the reader sees them whole."""
    _check(request, "rentals.export_order", "rentals.view_order")
    reveals = request.user.has_perm("rentals.reveal_order")

    def number(order: Order) -> str:
        whole = reveals or may_see_whole(order, request.user)
        return order.phone if whole or not order.phone else mask(order.phone)

    columns = (
        Column(_("Time"), lambda order: order.created_at),
        Column(_("State"), lambda order: label_for("order", shown_state(order)).word),
        Column(_("Order id"), lambda order: order.provider_id),
        Column(_("Number"), number),
        Column(_("App"), lambda order: order.project),
        Column(_("Country/region"), lambda order: country_name(order.region)),
        Column(_("Account"), lambda order: order.account.name),
        Column(_("Price"), lambda order: amount(order.price)),
        Column(_("Rented by"), lambda order: name_of(order.created_by)),
        Column(_("Held by"), lambda order: name_of(order.held_by)),
        Column(_("SMS received"), lambda order: order.received_there),
        Column(_("Ended"), lambda order: order.ended_at),
    )
    return _export(admin, request, "orders", columns, Order)


def export_transactions(admin: TransactionAdmin, request: HttpRequest) -> HttpResponseBase:
    _check(request, "rentals.export_transaction", "rentals.view_transaction")
    columns = (
        Column(_("Time"), lambda row: row.created_there or row.raw_created_there),
        Column(_("Id"), lambda row: row.provider_id),
        Column(_("Account"), lambda row: row.account.name),
        Column(_("Type"), lambda row: type_word(row.type)),
        Column(_("Amount"), lambda row: _plain(row.amount)),
        Column(_("Balance after"), lambda row: _plain(row.balance_after)),
        Column(_("Frozen after"), lambda row: _plain(row.frozen_after)),
        Column(_("Order id"), lambda row: row.order_provider_id),
        Column(_("Description (provider's words)"), lambda row: row.description),
    )
    return _export(admin, request, "transactions", columns, Transaction)


def _check(request: HttpRequest, *permissions: str) -> None:
    if not request.user.has_perms(permissions):
        raise NeedsPermission(*permissions)


def _plain(value: Any) -> str:
    return "" if value is None else f"{value:f}"


def _export(
    admin: PortalAdmin,
    request: HttpRequest,
    name: str,
    columns: tuple[exports.Column, ...],
    model: type[Model],
) -> HttpResponseBase:
    rows = _filtered(admin, request)
    LogEntry.objects.create(
        user=person(request),
        content_type=ContentType.objects.get_for_model(model),
        object_repr=name,
        action_flag=CHANGE,
        change_message=f"Exported {rows.count()} rows",
    )
    format_ = exports.Format.XLSX if request.GET.get("format") == "xlsx" else exports.Format.CSV
    return exports.export(name, columns, rows.iterator(chunk_size=2000), format_)


def _filtered(admin: PortalAdmin, request: HttpRequest) -> QuerySet[Any]:
    """The rows of the list whose filters stand in the address."""
    listed: QuerySet[Any]
    query = request.GET.copy()
    query.pop("format", None)
    plain, request.GET = request.GET, query  # type: ignore[assignment]
    try:
        listed = admin.get_changelist_instance(request).queryset
    except (DisallowedModelAdminLookup, IncorrectLookupParameters):
        listed = admin.model._default_manager.none()
    finally:
        request.GET = plain
    return listed
