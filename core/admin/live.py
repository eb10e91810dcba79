"""What has changed in a list since it was loaded: the rows stay where they are, their cells
follow, and newer rows are announced, not pushed in (static/portal/live_list.js asks).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest, JsonResponse
from django.utils.html import conditional_escape
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from .base import PortalAdmin

MOST_ROWS: Final = 100

Cells: TypeAlias = Callable[[Any], Mapping[str, str]]
"""The cells of a row that may change, by the name of their column."""


def changes(admin: PortalAdmin, request: HttpRequest, cells: Cells) -> JsonResponse:
    """The cells of the rows that the page names, and how many newer rows the list would show.
    The page's own filters stand in the query string; the rows stand in a header, so that the
    address stays that of the list."""
    ids = [one for one in request.headers.get("X-Rows", "").split(",") if one][:MOST_ROWS]
    rows = list(admin.get_queryset(request).filter(public_id__in=ids))
    newest = max((row.pk for row in rows), default=None)
    newer = _newer(admin, request, newest) if newest else 0
    text = ngettext("%(count)d new – show", "%(count)d new – show", newer) % {"count": newer}
    found = {
        row.public_id: {name: conditional_escape(shown) for name, shown in cells(row).items()}
        for row in rows
    }
    return JsonResponse({"rows": found, "newer": text if newer else ""})


def _newer(admin: PortalAdmin, request: HttpRequest, newest: int) -> int:
    try:
        listed = admin.get_changelist_instance(request)
    except (DisallowedModelAdminLookup, IncorrectLookupParameters):
        return 0
    count: int = listed.queryset.filter(pk__gt=newest)[:MOST_ROWS].count()
    return count
