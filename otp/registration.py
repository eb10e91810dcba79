"""Everything that `otp` registers when the portal starts."""

from __future__ import annotations

from django.db.models import QuerySet

from core.admin import attention, number_sources, search
from messaging import listeners
from providers.engine import far_times
from providers.engine.far_times import FarTime
from providers.engine.work_source import register
from providers.events import subscribe
from providers.gateway.events import VerificationReported
from providers.hold import holdable
from providers.journal import register_subject_resolver

from . import message_sync, provider_reports, sessions
from .checks_on_hold import ChecksOnHold
from .codes_on_hold import CodesOnHold
from .engine.check_source import CheckSource
from .models import Attempt, SendGap
from .personal_places import register_places
from .presentation import act_texts, dashboard, labels, number_events, search_hits, visibility
from .presentation.journal_links import session_links
from .retention_kinds import register_kinds
from .states import AttemptState


def _queued_checks() -> QuerySet[Attempt]:
    return Attempt.objects.filter(state=AttemptState.QUEUED)


def register_app() -> None:
    act_texts.register()
    register(CheckSource())
    register_places()
    register_kinds()
    holdable.register(CodesOnHold())
    holdable.register(ChecksOnHold())
    labels.register()
    visibility.register()
    far_times.register("queued checks", FarTime(_queued_checks, "not_before").bring_near)
    far_times.register("gaps between codes", FarTime(SendGap.objects.all, "free_at").bring_near)
    far_times.register("codes", sessions.expire_far_ahead)
    attention.register(dashboard.attention_items)
    number_sources.register(number_events.SessionsOfNumber())
    search.register(search_hits.find_hits)
    listeners.register("session", message_sync.sync_sessions)
    register_subject_resolver("session", session_links)
    subscribe(VerificationReported, provider_reports.on_verification)
