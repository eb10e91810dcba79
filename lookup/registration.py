"""Registrations that notes make when the portal starts."""

from __future__ import annotations

from core.admin import attention, number_sources, object_panels

from . import notes
from .note_attention import attention_items
from .note_events import NotesOfNumber
from .note_panel import panel_for


def register_app() -> None:
    object_panels.register(panel_for)
    notes.register()
    number_sources.register(NotesOfNumber())
    attention.register(attention_items)
