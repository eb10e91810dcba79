"""Startup registrations of rented numbers: work sources, labels, dashboard items, journal links."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from core.admin import attention
from providers.engine.work_source import register
from providers.hold import holdable
from providers.journal import register_subject_resolver

from .cancels_on_hold import CancelsOnHold
from .catalogue import fill_catalogue
from .engine.cancel_source import CancelSource
from .engine.list_poll_source import PollSource
from .engine.list_sync_source import ListSyncSource
from .engine.lookup_source import ContentSource
from .engine.place_source import PlaceSource
from .orders_on_hold import OrdersOnHold
from .presentation import dashboard, explanations, labels
from .presentation.journal_links import order_link


def register_app(config: AppConfig) -> None:
    for source in (PlaceSource, CancelSource, PollSource, ContentSource):
        register(source())
    register(ListSyncSource())
    holdable.register(OrdersOnHold())
    holdable.register(CancelsOnHold())
    labels.register()
    explanations.register()
    attention.register(dashboard.attention_items)
    register_subject_resolver("order", order_link)
    post_migrate.connect(fill_catalogue, sender=config, dispatch_uid="rentals.fill_catalogue")
