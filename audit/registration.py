"""Registrations that the audit makes when the portal starts."""

from __future__ import annotations

from core.acts import register_companion
from core.admin import act_texts as texts_of_lists
from core.admin import attention

from . import addresses, subjects
from .presentation import act_texts, chain_texts


def register_app() -> None:
    texts_of_lists.register()
    act_texts.register()
    subjects.register()
    register_companion(addresses.follow)
    attention.register(chain_texts.attention_items)
