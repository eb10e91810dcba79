"""Tabs over the list of messages, for the views that staff use most."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..presentation.dashboard import MAX_COUNTED, NEEDS_ATTENTION, count_needing_attention
from ..presentation.labels import REPORT_OVERDUE
from ..states import MessageState

S = MessageState
TABS: Final[tuple[tuple[Promise, tuple[str, ...]], ...]] = (
    (pgettext_lazy("tab", "All"), ()),
    (_("Needs attention"), NEEDS_ATTENTION),
    (pgettext_lazy("tab", "Waiting"), (S.QUEUED, S.SENDING, S.SCHEDULED)),
    (_("Not delivered"), (S.UNDELIVERED, S.EXPIRED, S.REJECTED, S.REFUSED, S.NOT_SENT)),
    (_("No report"), (REPORT_OVERDUE,)),
)


def tab_list(request: HttpRequest) -> list[dict[str, Any]]:
    """Build the tabs for the admin theme. Each tab opens the list filtered by its states."""
    chosen = tuple(request.GET.getlist("shown"))
    address = reverse("admin:messaging_message_changelist")
    items = [
        {
            "title": _titled(request, title, states),
            "link": f"{address}?{urlencode([('shown', state) for state in states])}",
            "active": set(chosen) == set(states),
            "has_permission": True,
        }
        for title, states in TABS
    ]
    return [{"models": ["messaging.message"], "items": items}]


def _titled(request: HttpRequest, title: Promise, states: tuple[str, ...]) -> str:
    if states != NEEDS_ATTENTION:
        return str(title)
    count = count_needing_attention(request)
    if not count:
        return str(title)
    return f"{title} {count if count <= MAX_COUNTED else f'{MAX_COUNTED}+'}"
