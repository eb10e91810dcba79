"""Rows in states that no service reaches quickly."""

from __future__ import annotations

import copy
import uuid
from typing import Any, Final, TypeVar

from django.db.models import Model
from django.utils import timezone

M = TypeVar("M", bound=Model)

IN_FLIGHT: Final = {"claimed", "sending", "placing"}
FRESH: Final = {"public_id", "reference", "digest"}
"""Columns that must have a new value in a copy of a row."""


def in_state(row: Model, state: str) -> None:
    """Save the row as a service or a loop leaves it in this state. Its claim is of a dead loop."""
    now = timezone.now()
    claimed = state in IN_FLIGHT
    answered = state not in (*IN_FLIGHT, "queued", "scheduled", "held")
    values = {
        "state": state,
        "claim": uuid.uuid4() if claimed else None,
        "claimed_at": now if claimed else None,
        "handed_over_at": now if answered or state in ("sending", "placing") else None,
        "answered_at": now if answered else None,
        "ended_at": now if answered else None,
    }
    for field in row._meta.concrete_fields:
        if field.name in values:
            setattr(row, field.name, values[field.name])
    row.save()


def copy_of(row: M, **fields: Any) -> M:
    """A copy as a new, unsaved row."""
    made = copy.copy(row)
    made._state = copy.copy(row._state)
    made._state.adding, made.pk = True, None
    for field in row._meta.concrete_fields:
        if field.name in FRESH:
            setattr(made, field.name, field.get_default())
        elif field.name == "form_token":
            setattr(made, field.name, None)
    for name, value in fields.items():
        setattr(made, name, value)
    return made
