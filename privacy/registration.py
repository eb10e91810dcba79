"""Registrations that privacy makes when the portal starts."""

from __future__ import annotations

from core import personal_data

from .legal_holds import held_numbers
from .personal_places import register_places


def register_app() -> None:
    register_places()
    personal_data.register_holds(held_numbers)
