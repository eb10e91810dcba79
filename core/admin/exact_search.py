"""Searches that ask indexes: what a term is gets decided first, and then looked up by equality."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext

from core.fixed_moment import fixed_or
from core.times import full_time

MOST: Final = 1_000
"""Rows that one id finds in one column. A provider may write the same placeholder into many."""


def keys_of(*queries: QuerySet[Any], most: int = MOST) -> list[int]:
    """The keys that any of these queries finds. Each has one condition, so that an index serves it.

    Conditions that are joined by OR make a database read its whole table.
    """
    found = dict[int, None]()
    for query in queries:
        found |= dict.fromkeys(query.order_by().values_list("pk", flat=True)[:most])
    return list(found)


def text_period(request: HttpRequest, name: str, length: timedelta) -> tuple[datetime, datetime]:
    """The time within which a search for a text reads rows, since no index finds parts of texts.

    `length` from the start that the reader chose for the field `name`; without one, until now.
    """
    now = timezone.localtime(fixed_or(timezone.now()))
    try:
        chosen = parse_date(request.GET.get(f"{name}_from_0", ""))
    except ValueError:
        chosen = None
    if chosen is None or not 1900 <= chosen.year <= 9000:
        return now - length, now
    start = timezone.make_aware(datetime.combine(chosen, time.min))
    return start, start + length


def note_text_search(request: HttpRequest, start: datetime, end: datetime) -> None:
    """Let the list say which period was searched, since older rows may have the text, too."""
    values = {"start": full_time(start), "end": full_time(end)}
    text = gettext("Texts from %(start)s to %(end)s") % values
    request.text_search = text  # type: ignore[attr-defined]


def text_search_note(request: HttpRequest) -> str:
    """What `note_text_search` noted; empty if the search was no search for a text."""
    return str(getattr(request, "text_search", ""))
