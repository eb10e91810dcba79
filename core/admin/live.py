"""Updates an open list in place.

`static/portal/live_list.js` polls for the cells of the rows on the page. Rows keep their place.
Newer rows are announced, not inserted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from django.http import Http404, HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.translation import ngettext

from .changelist import open_changelist
from .protocols import ModelPages

MAX_ROWS: Final = 100
FIRST_MINUTE: Final = timedelta(minutes=1)
COMMITTED_WITHIN: Final = timedelta(hours=1)
"""A row that was made earlier than another one, but committed later, has a higher id."""

Cells: TypeAlias = Callable[[Any], Mapping[str, str]]
"""The cells of a row that may change, by column name."""


def poll_interval(since: datetime) -> int:
    """Seconds between polls for an object that began at `since`.

    Most changes come in the first minute, so polls are more frequent then.
    """
    return 2 if timezone.now() - since < FIRST_MINUTE else 5


def changed_cells(admin: ModelPages, request: HttpRequest, cells: Cells) -> JsonResponse:
    """The cells of the rows on the page, and the number of newer rows that its filters match.

    The query string holds the page's filters. The header X-Rows holds the ids of the rows, so that
    the URL remains that of the list.
    """
    ids = [one for one in request.headers.get("X-Rows", "").split(",") if one][:MAX_ROWS]
    rows = list(admin.get_queryset(request).filter(public_id__in=ids).order_by())
    admin.prepare_rows(rows)
    newer = _newer(admin, request, max(rows, key=lambda row: row.pk)) if rows else 0
    text = ngettext("Show %(count)d new", "Show %(count)d new", newer) % {"count": newer}
    found = {
        row.public_id: {name: conditional_escape(shown) for name, shown in cells(row).items()}
        for row in rows
    }
    return JsonResponse({"rows": found, "newer": text if newer else ""})


def _newer(admin: ModelPages, request: HttpRequest, newest: Any) -> int:
    try:
        rows = open_changelist(admin, request).queryset
    except Http404:
        return 0
    # Every index of a list ends with the time, so this reads newer rows only.
    since = newest.created_at - COMMITTED_WITHIN
    newer = rows.filter(created_at__gte=since, pk__gt=newest.pk)
    count: int = newer.order_by()[:MAX_ROWS].count()
    return count
