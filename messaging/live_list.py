"""What has changed in a list of messages since it was loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest, JsonResponse
from django.utils.translation import ngettext

from core.labels import state_label

from .labels import shown_state
from .models import Message

if TYPE_CHECKING:
    from .admin import MessageAdmin

MOST_ROWS: Final = 100


def changes(admin: MessageAdmin, request: HttpRequest) -> JsonResponse:
    """The state labels of the rows that the page names, and how many newer ones the list
    would show. The page's own filters stand in the query string; the rows stand in headers,
    so that the address stays that of the list."""
    ids = [one for one in request.headers.get("X-Rows", "").split(",") if one][:MOST_ROWS]
    rows = Message.objects.filter(public_id__in=ids).select_related("account")
    labels = {row.public_id: str(state_label("message", shown_state(row))) for row in rows}
    newer = _newer(admin, request, ids[0]) if ids else 0
    text = ngettext("%(count)d new – show", "%(count)d new – show", newer) % {"count": newer}
    return JsonResponse({"states": labels, "newer": text if newer else ""})


def _newer(admin: MessageAdmin, request: HttpRequest, first: str) -> int:
    newest = Message.objects.filter(public_id=first).values_list("pk", flat=True).first()
    if newest is None:
        return 0
    try:
        listed = admin.get_changelist_instance(request)
    except (DisallowedModelAdminLookup, IncorrectLookupParameters):
        return 0
    count: int = listed.queryset.filter(pk__gt=newest)[:MOST_ROWS].count()
    return count
