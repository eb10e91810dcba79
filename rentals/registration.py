"""Startup registrations of rented numbers: work sources, labels, dashboard items, journal links."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.apps import AppConfig
from django.db.models import F
from django.db.models.signals import post_migrate

from core.admin import attention, number_sources, search
from core.countries import country_name
from core.stored_texts import register_labels
from providers import balances
from providers.approvals import kinds
from providers.engine import far_times
from providers.engine.far_times import FarTime
from providers.engine.work_source import register
from providers.hold import holdable
from providers.journal import register_subject_resolver

from .approved_orders import ApprovedOrders
from .balance_statements import later_statements
from .cancels_on_hold import CancelsOnHold
from .catalogue import fill_catalogue
from .engine.cancel_source import CancelSource
from .engine.list_poll_source import PollSource
from .engine.list_sync_source import ListSyncSource
from .engine.lookup_source import ContentSource
from .engine.place_source import PlaceSource
from .models import Cancel, Order, Reading, Watch
from .orders_on_hold import OrdersOnHold
from .personal_places import register_places
from .presentation import (
    act_texts,
    dashboard,
    labels,
    number_events,
    reasons,
    search_hits,
    visibility,
)
from .presentation.journal_links import order_links
from .proposals import COUNTRY
from .retention_kinds import register_kinds
from .states import CANCEL_OPEN, OrderState, ReadingState

_FAR_TIMES: Final = {
    "queued orders": FarTime(lambda: Order.objects.filter(state=OrderState.QUEUED), "not_before"),
    "queued cancels": FarTime(
        lambda: Cancel.objects.filter(state__in=sorted(CANCEL_OPEN)), "not_before"
    ),
    "queued readings": FarTime(
        lambda: Reading.objects.filter(state=ReadingState.QUEUED), "not_before"
    ),
    # An order that the lists follow is looked up once more at its end.
    "look-ups of orders": FarTime(
        lambda: Order.objects.exclude(next_poll_at__gte=F("expires_at")),
        "next_poll_at",
        timedelta(minutes=5),
    ),
    "probes after a refused login": FarTime(Watch.objects.all, "quiet_until"),
    "rounds of lists": FarTime(Watch.objects.all, "next_round_at", timedelta(minutes=10)),
}


def register_app(config: AppConfig) -> None:
    act_texts.register()
    for source in (PlaceSource, CancelSource, PollSource, ContentSource):
        register(source())
    register(ListSyncSource())
    register_places()
    register_kinds()
    holdable.register(OrdersOnHold())
    holdable.register(CancelsOnHold())
    kinds.register(ApprovedOrders())
    register_labels(COUNTRY, country_name)
    labels.register()
    visibility.register()
    reasons.register()
    number_sources.register(number_events.OrdersOfNumber())
    search.register(search_hits.find_hits)
    attention.register(dashboard.attention_items)
    balances.register_later_statements(later_statements)
    for name, far_time in _FAR_TIMES.items():
        far_times.register(name, far_time.bring_near)
    register_subject_resolver("order", order_links)
    post_migrate.connect(fill_catalogue, sender=config, dispatch_uid="rentals.fill_catalogue")
