"""What the lists of rented numbers export. No export contains codes or texts."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.labels import label_for
from core.admin.list_export import Column, ListExport, fields
from core.countries import country_name
from core.masking import exported_number
from core.people import person_name
from core.phones.erased import is_erased
from core.phones.parse import mask
from core.stored_texts import show
from core.templatetags.portal import amount
from core.visibility import may_export_whole

from ..log_texts import ORDERS_EXPORTED, TRANSACTIONS_EXPORTED
from ..models import Order, Project, Region
from ..presentation.finding_lines import ours_line, theirs_line
from ..presentation.labels import shown_state
from ..presentation.timeline import type_word
from ..presentation.visibility import whole_number


def order_columns(reader: User) -> list[Column]:
    """Numbers are whole if the reader may see them so."""

    def number(order: Order) -> str:
        if is_erased(order.phone):
            return exported_number(order.phone, whole=False)
        if may_export_whole(order, reader) or not order.phone:
            return whole_number(order)
        return mask(order.phone, order.region)

    return [
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
    ]


def transaction_columns(_reader: User) -> list[Column]:
    return [
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
    ]


def _plain(value: Decimal | None) -> str:
    """The amount as the pages show it, but without commas, so that a spreadsheet can add it up."""
    return amount(value).replace(",", "")


ORDERS: Final = ListExport(
    "orders",
    order_columns,
    permission="rentals.export_order",
    reveal="rentals.reveal_order",
    logged=ORDERS_EXPORTED,
)
TRANSACTIONS: Final = ListExport(
    "transactions",
    transaction_columns,
    permission="rentals.export_transaction",
    logged=TRANSACTIONS_EXPORTED,
)


def finding_columns(_reader: User) -> list[Column]:
    return [
        Column(pgettext_lazy("column", "Finding"), lambda one: label_for("finding", one.kind).word),
        Column(pgettext_lazy("column", "Order"), lambda one: one.about),
        Column(_("In the portal"), ours_line),
        Column(_("At the provider"), theirs_line),
        Column(pgettext_lazy("column", "Account"), lambda one: one.account.name),
        Column(_("Open since"), lambda one: one.since),
        Column(
            _("Explained by"),
            lambda one: person_name(one.explained_by) if one.explained_at else "",
        ),
        Column(pgettext_lazy("column", "Reason"), lambda one: show(one.explained_because)),
    ]


FINDINGS: Final = ListExport("ledger-check", finding_columns)
PROJECTS: Final = ListExport("apps", fields(Project, "name", "code", "provider", "is_offered"))
REGIONS: Final = ListExport("countries", fields(Region, "code", "remark", "provider", "is_offered"))
