"""Registrations of the providers app at startup."""

from __future__ import annotations

from auditlog.registry import auditlog
from django.db.models.signals import post_save

from core.admin import attention, search

from . import clock
from .accounts import callback_tokens_changed
from .callbacks.tokens import known_tokens
from .engine.account_check_source import EnquirySource
from .engine.wake import watch_workers
from .engine.work_source import register
from .gateway.http.exchange_log import use_clock
from .models import Account
from .personal_places import register_places
from .presentation import (
    act_texts,
    approval_inbox,
    approval_texts,
    dashboard,
    hold_view,
    search_hits,
)
from .retention_kinds import register_kinds


def register_app() -> None:
    act_texts.register()
    clock.connect_receivers()
    use_clock(clock.now)
    register(EnquirySource())
    register_places()
    register_kinds()
    attention.register(hold_view.attention_items)
    attention.register(approval_inbox.attention_items)
    attention.register(approval_inbox.limit_items)
    approval_texts.register()
    search.register(search_hits.find_hits)
    watch_workers()
    attention.register(dashboard.attention_items)
    attention.register(dashboard.callback_items)
    callback_tokens_changed.connect(known_tokens.invalidate)
    post_save.connect(known_tokens.invalidate, sender=Account)
    # Secrets and callback tokens have tables of their own, which the audit log does not cover.
    auditlog.register(Account, exclude_fields=["public_id"])
