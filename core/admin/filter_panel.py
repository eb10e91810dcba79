"""The panel of a list's filters, which is fetched when it is opened.

Few people open it, and it holds half of a list's form fields. The parameter `filters` asks for the
panel alone, or, in a browser without scripts, for the list with its panel open.
"""

from __future__ import annotations

from typing import Final

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from .protocols import ModelPages
from .row_requests import want_choices

PARAMETER: Final = "filters"
ALONE: Final = "alone"
OPEN: Final = "open"


def take_wish(request: HttpRequest) -> str:
    """What is wanted of the panel. Removes it from `request.GET`, since it is not a filter."""
    query = request.GET.copy()
    wish = str(query.pop(PARAMETER, [""])[-1])
    request.GET = query  # type: ignore[assignment]
    if wish in (ALONE, OPEN):
        want_choices(request, alone=wish == ALONE)
    return wish


def panel_alone(admin: ModelPages, request: HttpRequest) -> HttpResponse:
    if not admin.has_view_permission(request):
        raise PermissionDenied
    try:
        changelist = admin.get_changelist_instance(request)
    except (DisallowedModelAdminLookup, IncorrectLookupParameters):
        raise Http404 from None
    return render(request, "portal/filter_panel.html", {"cl": changelist})
