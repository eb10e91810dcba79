"""Rented numbers that need attention, for the dashboard and the sidebar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import ngettext

from core.admin.attention import AttentionItem, counted_item
from providers import clock

from ..models import Finding, FoundOrder, Order
from ..states import OrderState

SOON: Final = timedelta(minutes=2)
MAX_COUNTED: Final = 100


def ending_soon() -> QuerySet[Order]:
    now = clock.now()
    return Order.objects.filter(
        state=OrderState.PENDING, expires_at__gt=now, expires_at__lte=now + SOON
    ).order_by()


def unknown_orders() -> QuerySet[Order]:
    return Order.objects.filter(state=OrderState.UNKNOWN).order_by()


def orders_on_hold() -> QuerySet[Order]:
    return Order.objects.filter(state=OrderState.HELD).order_by()


def open_findings() -> QuerySet[Finding]:
    return Finding.objects.filter(gone_at=None, explained_at=None).order_by()


def found_orders() -> QuerySet[FoundOrder]:
    return FoundOrder.objects.filter(order=None).order_by()


@dataclass(frozen=True, slots=True)
class Counts:
    """The sidebar's badges on every page, from two cheap queries."""

    ending: int
    unknown: int
    findings: int


def counts(request: HttpRequest) -> Counts:
    """The counts, queried once per request."""
    cached: Counts | None = getattr(request, "rentals_counts", None)
    if cached is None:
        now = clock.now()
        ending = Q(state=OrderState.PENDING, expires_at__gt=now, expires_at__lte=now + SOON)
        orders = Order.objects.filter(state__in=(OrderState.PENDING, OrderState.UNKNOWN))
        found = orders.order_by().aggregate(
            ending=Count("pk", filter=ending),
            unknown=Count("pk", filter=Q(state=OrderState.UNKNOWN)),
        )
        cached = Counts(found["ending"], found["unknown"], open_findings()[:MAX_COUNTED].count())
        request.rentals_counts = cached  # type: ignore[attr-defined]
    return cached


def open_badge(request: HttpRequest) -> int:
    return counts(request).ending


def orders_badge(request: HttpRequest) -> int:
    return counts(request).unknown


def ledger_badge(request: HttpRequest) -> int:
    return counts(request).findings


def attention_items(request: HttpRequest) -> Iterator[AttentionItem]:
    """Items for the dashboard. Each links to exactly the rows that it counts."""
    may = request.user.has_perm
    if may("rentals.view_order"):
        yield from _order_items(may_import=may("rentals.import_order"))
    if may("rentals.view_finding"):
        count = open_findings().count()
        text = ngettext(
            "Ledger check: %(count)d finding", "Ledger check: %(count)d findings", count
        )
        yield from counted_item(count, text, reverse("admin:rentals_finding_changelist"), "rule")


def _order_items(*, may_import: bool) -> Iterator[AttentionItem]:
    listed = reverse("admin:rentals_order_changelist")
    count = unknown_orders().count()
    text = ngettext(
        "%(count)d order with unknown outcome", "%(count)d orders with unknown outcome", count
    )
    yield from counted_item(count, text, f"{listed}?shown=unknown", "help")
    count = orders_on_hold().count()
    text = ngettext("%(count)d order is on hold", "%(count)d orders are on hold", count)
    yield from counted_item(count, text, f"{listed}?shown=held", "front_hand")
    count = ending_soon().count()
    text = ngettext(
        "%(count)d order ends within 2 minutes", "%(count)d orders end within 2 minutes", count
    )
    yield from counted_item(count, text, f"{listed}?ending=soon", "hourglass_bottom")
    if may_import:
        count = found_orders().count()
        text = ngettext(
            "%(count)d order at the provider was placed outside the portal",
            "%(count)d orders at the provider were placed outside the portal",
            count,
        )
        found = reverse("admin:rentals_order_found")
        yield from counted_item(count, text, found, "travel_explore")
