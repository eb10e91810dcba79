"""Exports of orders and transactions. No export contains codes or texts."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin import exports
from core.admin.actions import log_export
from core.admin.changelist import filtered
from core.admin.export_slots import claim_slot
from core.admin.labels import label_for
from core.admin.pages import require
from core.admin.protocols import ModelPages
from core.countries import country_name
from core.people import person_name
from core.phone import mask
from core.stored_texts import StoredText
from core.templatetags.portal import amount
from core.visibility import may_export_whole

from ..log_texts import ORDERS_EXPORTED, TRANSACTIONS_EXPORTED
from ..models import Order, Transaction
from ..presentation.labels import shown_state
from ..presentation.timeline import type_word
from ..presentation.visibility import whole_number

Column = exports.Column


def export_orders(admin: ModelPages, request: HttpRequest) -> HttpResponseBase:
    """The filtered list. Numbers are unmasked if the reader may see them so."""
    require(request, "rentals.export_order", "rentals.view_order")

    def number(order: Order) -> str:
        if may_export_whole(order, request.user) or not order.phone:
            return whole_number(order)
        return mask(order.phone, order.region)

    columns = (
        Column(pgettext_lazy("column", "Time"), lambda order: order.created_at),
        Column(
            pgettext_lazy("column", "State"),
            lambda order: label_for("order", shown_state(order)).word,
        ),
        Column(_("Order id"), lambda order: order.provider_id),
        Column(pgettext_lazy("column", "Number"), number),
        Column(pgettext_lazy("column", "App"), lambda order: order.project),
        Column(pgettext_lazy("column", "Country/region"), lambda order: country_name(order.region)),
        Column(pgettext_lazy("column", "Account"), lambda order: order.account.name),
        Column(pgettext_lazy("column", "Price"), lambda order: _plain(order.price)),
        Column(_("Rented by"), lambda order: person_name(order.created_by)),
        Column(_("Held by"), lambda order: person_name(order.held_by)),
        Column(_("SMS received"), lambda order: order.received_there),
        Column(_("Ended at"), lambda order: order.ended_at),
    )
    return _export(admin, request, "orders", columns, Order, ORDERS_EXPORTED)


def export_transactions(admin: ModelPages, request: HttpRequest) -> HttpResponseBase:
    require(request, "rentals.export_transaction", "rentals.view_transaction")
    columns = (
        Column(
            pgettext_lazy("column", "Time"), lambda row: row.created_there or row.raw_created_there
        ),
        Column(pgettext_lazy("column", "Id"), lambda row: row.provider_id),
        Column(pgettext_lazy("column", "Account"), lambda row: row.account.name),
        Column(pgettext_lazy("column", "Type"), lambda row: type_word(row.type)),
        Column(pgettext_lazy("column", "Amount"), lambda row: _plain(row.amount)),
        Column(_("Balance after"), lambda row: _plain(row.balance_after)),
        Column(_("Frozen amount after"), lambda row: _plain(row.frozen_after)),
        Column(_("Order id"), lambda row: row.order_provider_id),
        Column(_("Description (from the provider)"), lambda row: row.description),
    )
    logged = TRANSACTIONS_EXPORTED
    return _export(admin, request, "transactions", columns, Transaction, logged)


def _plain(value: Decimal | None) -> str:
    """The amount as the pages show it, but without commas, so that a spreadsheet can add it up."""
    return amount(value).replace(",", "")


def _export(
    admin: ModelPages,
    request: HttpRequest,
    name: str,
    columns: tuple[exports.Column, ...],
    model: type[Model],
    logged: StoredText,
) -> HttpResponseBase:
    format_ = exports.requested_format(request)
    slot = claim_slot(request)
    rows = filtered(admin, request)
    slot.check_length(rows)
    count = rows.count()
    log_export(request, model, logged.store(count=count), count=count)
    return exports.export(name, columns, rows.iterator(chunk_size=2000), format_, slot)
