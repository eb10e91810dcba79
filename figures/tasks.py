"""Scheduled tasks of figures. Each may run twice, be killed midway, or be left out."""

from __future__ import annotations

from . import roll_up


def bring_up_to_date() -> bool:
    """Every minute: count what has changed. Returns whether all is counted."""
    return roll_up.bring_up_to_date()
