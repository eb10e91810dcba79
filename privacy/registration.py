"""Registrations that privacy makes when the portal starts."""

from __future__ import annotations

from core import personal_data, retention

from . import rules
from .legal_holds import held_numbers
from .personal_places import register_places
from .presentation import act_texts, labels


def register_app() -> None:
    labels.register()
    act_texts.register()
    register_places()
    personal_data.register_holds(held_numbers)
    retention.register_rules(rules.rules)
