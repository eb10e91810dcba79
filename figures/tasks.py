"""Scheduled tasks of figures. Each may run twice, be killed midway, or be left out."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models import Q

from providers import clock

from . import roll_up
from .models import RollUp
from .standouts import find_standouts

LOOK_EVERY: Final = timedelta(minutes=3)


def bring_up_to_date() -> bool:
    """Every minute: count what has changed, and look for what stands out.

    Returns whether all is counted.
    """
    is_complete = roll_up.bring_up_to_date()
    if is_complete:
        look_for_standouts()
    return is_complete


def look_for_standouts() -> None:
    """Every few minutes: note what fails more than usual, for dashboards to read."""
    now = clock.now()
    due = RollUp.objects.filter(Q(looked_at=None) | Q(looked_at__lte=now - LOOK_EVERY))
    if due.exists():
        found = [one.as_json() for one in find_standouts(now)]
        RollUp.objects.update(standouts=found, looked_at=now)
