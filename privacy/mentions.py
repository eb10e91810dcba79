"""Texts that only mention a number, in rows about somebody or something else.

They are handed out without what belongs to others: only the part around the number, and no other
digits, which may be numbers and codes.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import DateTimeField
from django.utils import timezone

from core.personal_data import Mention, Place, places
from core.phones.traces import ANY_DIGIT, Traces
from core.stored_texts import show

from .headings import heading_of

AROUND: Final = 200
"""Characters that are shown before and behind the number."""
MOST: Final = 1_000
"""Of one table."""
HIDDEN: Final = "…"
_DIGITS: Final = re.compile(rf"[{ANY_DIGIT}]{{4,}}")


@dataclass(frozen=True, slots=True)
class MentionRow:
    at: str
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class MentionPart:
    """The mentions in one table."""

    title: str
    key: str
    rows: list[MentionRow]


@dataclass(slots=True)
class Mentions:
    parts: list[MentionPart] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    """The titles of tables that were not searched to their end."""


def find_mentions(traces: Traces, seconds: float | None) -> Mentions:
    until = None if seconds is None else time.monotonic() + seconds
    found = Mentions()
    for place in places():
        if not place.mentioned:
            continue
        rows: list[MentionRow] = []
        after, has_more = None, True
        while has_more and len(rows) < MOST and (until is None or time.monotonic() < until):
            mentions, after = place.mentions(traces, after)
            rows += _rows(place, mentions, traces)
            has_more = after is not None
        if rows:
            found.parts.append(MentionPart(str(place.title), place.key, rows[:MOST]))
        if has_more or len(rows) > MOST:
            found.unfinished.append(str(place.title))
    return found


def _rows(place: Place, mentions: list[Mention], traces: Traces) -> list[MentionRow]:
    column = _time_of(place)
    times: dict[Any, datetime] = {}
    if column and mentions:
        own = place.rows.filter(pk__in={one.pk for one in mentions}).order_by()
        times = dict(own.values_list("pk", column))
    return [
        MentionRow(
            _shown(times.get(one.pk)), heading_of(place, one.column), excerpt(one.text, traces)
        )
        for one in mentions
    ]


def excerpt(text: str, traces: Traces) -> str:
    """The part of a text around the number, without other digits."""
    text = show(text)
    spans = traces.spans(text)
    if not spans:
        return HIDDEN
    start, end = max(spans[0][0] - AROUND, 0), min(spans[-1][1] + AROUND, len(text))
    if end - start > 4 * AROUND:
        end = min(spans[0][1] + AROUND, len(text))
    shown, reached = "", start
    for first, last in spans:
        if last > end:
            break
        shown += _DIGITS.sub(HIDDEN, text[reached:first]) + text[first:last]
        reached = last
    shown += _DIGITS.sub(HIDDEN, text[reached:end])
    return (HIDDEN if start else "") + shown + (HIDDEN if end < len(text) else "")


def _time_of(place: Place) -> str:
    """The column of a row's time; empty if the table has none."""
    columns = place.model._meta.concrete_fields
    return next((one.name for one in columns if isinstance(one, DateTimeField)), "")


def _shown(at: datetime | None) -> str:
    return "" if at is None else timezone.localtime(at).isoformat(timespec="seconds")
