"""Everything that `otp` registers when the portal starts."""

from __future__ import annotations

from core.admin import attention
from messaging import listeners
from providers.engine.work_source import register
from providers.events import subscribe
from providers.gateway.events import VerificationReported
from providers.hold import holdable
from providers.journal import register_subject_resolver

from . import message_sync, provider_reports
from .checks_on_hold import ChecksOnHold
from .codes_on_hold import CodesOnHold
from .engine.check_source import CheckSource
from .presentation import dashboard, labels
from .presentation.journal_links import session_link


def register_app() -> None:
    register(CheckSource())
    holdable.register(CodesOnHold())
    holdable.register(ChecksOnHold())
    labels.register()
    attention.register(dashboard.attention_items)
    listeners.register("session", message_sync.sync_sessions)
    register_subject_resolver("session", session_link)
    subscribe(VerificationReported, provider_reports.on_verification)
