"""What has changed in a list since it was loaded: the rows stay where they are, their labels
and cells follow, and newer rows are announced, not pushed in. `live_list.js` asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest, JsonResponse
from django.utils.translation import ngettext

if TYPE_CHECKING:
    from .admin import PortalAdmin

MOST_ROWS: Final = 100

Cells: TypeAlias = Callable[[Any], Mapping[str, object]]
"""A row's cells that may change, by the name of their column."""


def changes(admin: PortalAdmin, request: HttpRequest, cells: Cells) -> JsonResponse:
    """The page's own filters stand in the query string; the rows that it shows stand in a
    header, so that the address stays that of the list."""
    ids = [one for one in request.headers.get("X-Rows", "").split(",") if one][:MOST_ROWS]
    ids = [one for one in ids if "\x00" not in one]
    rows: Iterable[Any] = admin.get_queryset(request).filter(public_id__in=ids)
    drawn = {
        row.public_id: {name: str(value) for name, value in cells(row).items()} for row in rows
    }
    newer = _newer(admin, request, ids)
    text = ngettext("%(count)d new – show", "%(count)d new – show", newer) % {"count": newer}
    return JsonResponse({"rows": drawn, "newer": text if newer else ""})


def _newer(admin: PortalAdmin, request: HttpRequest, ids: list[str]) -> int:
    """How many rows the list would show that are newer than any of these."""
    shown = admin.get_queryset(request).filter(public_id__in=ids).order_by("-pk")
    newest = shown.values_list("pk", flat=True).first()
    if newest is None:
        return 0
    try:
        listed = admin.get_changelist_instance(request)
    except (DisallowedModelAdminLookup, IncorrectLookupParameters):
        return 0
    count: int = listed.queryset.filter(pk__gt=newest)[:MOST_ROWS].count()
    return count
