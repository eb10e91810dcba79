"""Registrations that notes make when the portal starts."""

from __future__ import annotations

from core.admin import attention, number_sources, object_panels

from . import act_texts, notes
from .note_attention import attention_items
from .note_events import NotesOfNumber
from .note_panel import panel_for
from .personal_places import register_places


def register_app() -> None:
    act_texts.register()
    register_places()
    object_panels.register(panel_for)
    notes.register()
    number_sources.register(NotesOfNumber())
    attention.register(attention_items)
