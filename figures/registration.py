"""Registrations that figures make when the portal starts."""

from __future__ import annotations

from core.admin import attention

from .presentation import standout_texts


def register_app() -> None:
    attention.register(standout_texts.attention_items)
