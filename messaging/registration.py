"""Registrations that messages and batches make when the portal starts."""

from __future__ import annotations

from django.db.models import QuerySet

from core.admin import attention, number_sources, search
from providers.approvals import kinds
from providers.callbacks.health import register_missing_reports
from providers.engine import far_times
from providers.engine.far_times import FarTime
from providers.engine.work_source import register
from providers.events import subscribe
from providers.gateway.events import (
    DeliveryReported,
    Unrecognised,
    VerificationReported,
)
from providers.hold import holdable
from providers.journal import register_subject_finder, register_subject_resolver

from . import apply_report
from .approved_batches import ApprovedBatches
from .batches import kept_files, notices
from .batches.batches_on_hold import BatchesOnHold
from .batches.engine_source import BatchSource
from .batches.importing import file_errors
from .engine.source import MessageSource
from .messages_on_hold import MessagesOnHold
from .models import Message
from .personal_places import register_places
from .presentation import (
    act_texts,
    batch_labels,
    dashboard,
    explanations,
    labels,
    number_events,
    row_texts,
    search_hits,
    visibility,
)
from .presentation.journal_links import batch_links, find_subjects, message_links
from .presentation.missing_reports import missing_reports_of
from .retention_kinds import register_kinds
from .states import MessageState


def _queued() -> QuerySet[Message]:
    return Message.objects.filter(state=MessageState.QUEUED)


def register_app() -> None:
    act_texts.register()
    register(MessageSource())
    register(BatchSource())
    register_places()
    register_kinds()
    kept_files.register_kinds()
    holdable.register(MessagesOnHold())
    holdable.register(BatchesOnHold())
    kinds.register(ApprovedBatches())
    batch_labels.register()
    file_errors.register()
    row_texts.register()
    labels.register()
    visibility.register()
    notices.register()
    attention.register(dashboard.attention_items)
    number_sources.register(number_events.MessagesOfNumber())
    number_sources.register(number_events.ReportsOfNumber())
    number_sources.register(number_events.EntriesOfNumber())
    search.register(search_hits.find_hits)
    explanations.register()
    far_times.register("queued messages", FarTime(_queued, "not_before").bring_near)
    register_subject_resolver("message", message_links)
    register_subject_resolver("batch", batch_links)
    register_subject_finder(find_subjects)
    register_missing_reports(missing_reports_of)
    subscribe(DeliveryReported, apply_report.on_delivery)
    subscribe(VerificationReported, apply_report.on_verification)
    subscribe(Unrecognised, apply_report.on_unrecognised)
