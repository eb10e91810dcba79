"""Prune rows by their age, except those about numbers on legal hold."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from .personal_data import held_numbers, places, text_of
from .phones.traces import Traces
from .pruning import CHUNK, delete_in_chunks

MOST_SUBJECTS = 50_000


def delete_unheld(rows: QuerySet[Any]) -> int:
    """Delete `rows` in chunks, as `delete_in_chunks`. Rows that concern a held number stay."""
    numbers = held_numbers()
    if not numbers:
        return delete_in_chunks(rows)
    traces = [Traces(number) for number in numbers]
    subjects = subjects_of(traces)
    columns = _columns(rows.model)
    deleted, last = 0, 0
    while chunk := list(
        rows.filter(pk__gt=last).order_by("pk").values_list("pk", *columns)[: CHUNK // 10]
    ):
        last = chunk[-1][0]
        free = [
            pk
            for pk, *values in chunk
            if not any(value in subjects for value in values if isinstance(value, str))
            and not any(one.is_in(text_of(value)) for value in values for one in traces)
        ]
        deleted += rows.model._default_manager.filter(pk__in=free).delete()[0]
    return deleted


def subjects_of(traces: list[Traces]) -> set[str]:
    """The subjects (`message:42`) of the rows about these numbers."""
    found: set[str] = set()
    for place in places():
        for one in traces if place.subject else ():
            keys = place.about(one).order_by("-pk").values_list("pk", flat=True)
            found |= {f"{place.subject}:{pk}" for pk in keys[:MOST_SUBJECTS]}
    return found


def _columns(model: Any) -> list[str]:
    place = next(one for one in places() if one.model is model)
    own = ["subject"] if "subject" in place.excused else []
    return [*own, *place.columns]
