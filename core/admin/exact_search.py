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
MOST_READ: Final = 20_000
"""Rows whose texts a search reads."""


def keys_of(*queries: QuerySet[Any], most: int = MOST) -> list[int]:
    """The keys that any of these queries finds. Each has one condition, so that an index serves it.

    Conditions that are joined by OR make a database read its whole table.
    """
    found = dict[int, None]()
    for query in queries:
        found |= dict.fromkeys(query.order_by().values_list("pk", flat=True)[:most])
    return list(found)


def search_period(
    request: HttpRequest, rows: QuerySet[Any], name: str, length: timedelta, most: int = 0
) -> tuple[datetime, datetime]:
    """The time within which a search for a text reads `rows`, since no index finds parts of texts.

    `length` from the start that the reader chose for the field `name`; without one, until now.
    It is shorter if there are more than `most` rows (`MOST_READ`), and the list says which it is.
    """
    now = timezone.localtime(fixed_or(timezone.now()))
    start = _chosen_start(request, name)
    first, last = (now - length, now) if start is None else (start, start + length)
    within = rows.filter(**{f"{name}__range": (first, last)})
    within = within.order_by(f"-{name}" if start is None else name)
    most = most or MOST_READ
    limit = next(iter(within.values_list(name, flat=True)[most : most + 1]), None)
    if limit is not None:
        first, last = (limit, last) if start is None else (first, limit)
    request.text_search = first, last  # type: ignore[attr-defined]
    return first, last


def _chosen_start(request: HttpRequest, name: str) -> datetime | None:
    try:
        chosen = parse_date(request.GET.get(f"{name}_from_0", ""))
    except ValueError:
        return None
    if chosen is None or not 1900 <= chosen.year <= 9000:
        return None
    return timezone.make_aware(datetime.combine(chosen, time.min))


def searched_period(request: HttpRequest) -> dict[str, str] | None:
    """The start and end of the last search for a text; None if there was none."""
    period: tuple[datetime, datetime] | None = getattr(request, "text_search", None)
    return period and {"start": full_time(period[0]), "end": full_time(period[1])}


def text_search_chip(request: HttpRequest) -> str:
    said = searched_period(request)
    return gettext("Texts from %(start)s to %(end)s") % said if said else ""


def text_search_note(request: HttpRequest) -> str:
    """Says how to search further, since older rows may have the text, too."""
    said = searched_period(request)
    sentence = gettext(
        "Texts from %(start)s to %(end)s were searched. Choose another start to search others."
    )
    return sentence % said if said else ""
