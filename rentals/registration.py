"""What rented numbers register when the portal starts."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from core.admin import attention
from providers.engine.work_source import register
from providers.journal import register_subject_resolver

from .catalogue import fill
from .engine.cancel_source import CancellingSource
from .engine.list_poll_source import PollingSource
from .engine.list_sync_source import ReadingSource
from .engine.lookup_source import ContentSource
from .engine.place_source import PlacingSource
from .presentation import dashboard, explanations, labels
from .presentation.journal_links import order_link


def register_app(config: AppConfig) -> None:
    for source in (PlacingSource, CancellingSource, PollingSource, ContentSource):
        register(source())
    register(ReadingSource())
    labels.register()
    explanations.register()
    attention.register(dashboard.attention_items)
    register_subject_resolver("order", order_link)
    post_migrate.connect(fill, sender=config, dispatch_uid="rentals.fill_catalogue")
