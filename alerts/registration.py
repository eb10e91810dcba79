"""Registrations that alerts make when the portal starts."""

from __future__ import annotations

from core.admin import attention

from .personal_places import register_places
from .presentation import act_texts, dashboard, labels, subjects
from .retention_kinds import register_kinds
from .watches.traffic import register_reasons


def register_app() -> None:
    labels.register()
    act_texts.register()
    subjects.register()
    register_places()
    register_kinds()
    register_reasons()
    attention.register(dashboard.attention_items)
