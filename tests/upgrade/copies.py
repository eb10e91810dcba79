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
"""Columns that a copy of a row needs a value of its own for."""


def in_state(row: Model, state: str) -> None:
    """Save it as a service or a loop leaves it in this state. A claim is of a dead loop."""
    now = timezone.now()
    held = state in IN_FLIGHT
    over = state not in (*IN_FLIGHT, "queued", "scheduled", "held")
    values = {
        "state": state,
        "claim": uuid.uuid4() if held else None,
        "claimed_at": now if held else None,
        "handed_over_at": now if over or state in ("sending", "placing") else None,
        "answered_at": now if over else None,
        "ended_at": now if over else None,
    }
    for field in row._meta.concrete_fields:
        if field.name in values:
            setattr(row, field.name, values[field.name])
    row.save()


def copy_of(row: M, **fields: Any) -> M:
    """The same again as a new row, not saved."""
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
