"""The log entries of one object, in the reader's language."""

from __future__ import annotations

from typing import Final

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from core.stored_texts import declare, is_known, show

from .buttons import Crumb
from .protocols import ModelPages
from .timeline import person_name

PER_PAGE: Final = 100
ADDED: Final = declare("added", pgettext_lazy("log", "Added"))
CHANGED: Final = declare("changed", _("Changed: %(fields)s"))


def log_text(entry: LogEntry) -> str:
    """What the entry says. Django keeps the texts of its own forms in another format."""
    message = entry.change_message
    if is_known(message):
        return show(message)
    return entry.get_change_message() if message else str(entry.get_action_flag_display())


def history_page(admin: ModelPages, request: HttpRequest, obj: Model) -> HttpResponse:
    """The page at `history/` of an object, oldest entry first."""
    content_type = ContentType.objects.get_for_model(admin.model)
    entries = LogEntry.objects.filter(content_type=content_type, object_id=str(obj.pk))
    rows = entries.select_related("user").order_by("action_time", "pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("p"))
    title = pgettext("title", "History")
    lines = [(entry.action_time, person_name(entry.user), log_text(entry)) for entry in page]
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": title,
        "trail": [admin.list_crumb(), Crumb(str(obj), admin.object_url(obj)), Crumb(title)],
        "lines": lines,
        "page": page,
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "portal/history.html", context)
