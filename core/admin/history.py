"""The log entries of one object, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy
from unfold.admin import ModelAdmin

from core.people import person_name
from core.stored_texts import Stored, declare, is_known, names, show

from .actions import log_change
from .buttons import Crumb
from .field_labels import translate_fields
from .protocols import ModelPages

PER_PAGE: Final = 100
ADDED: Final = declare("added", pgettext_lazy("log", "Added"))
CHANGED: Final = declare("changed", _("Changed: %(fields)s"))
DELETED: Final = declare("deleted", pgettext_lazy("log", "Deleted"))


def log_text(entry: LogEntry) -> str:
    """What the entry says. Django keeps the texts of its own forms in another format."""
    message = entry.change_message
    if is_known(message):
        return show(message)
    translate_fields([entry])
    return entry.get_change_message() if message else str(entry.get_action_flag_display())


def history_page(admin: ModelPages, request: HttpRequest, obj: Model) -> HttpResponse:
    """The page at `history/` of an object, oldest entry first."""
    content_type = ContentType.objects.get_for_model(admin.model)
    entries = LogEntry.objects.filter(content_type=content_type, object_id=str(obj.pk))
    rows = entries.select_related("user").order_by("action_time", "pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("p"))
    title = pgettext("title", "History")
    lines = [(entry.action_time, person_name(entry.user), log_text(entry)) for entry in page]
    own = Crumb(admin.get_detail_title(request, obj), admin.object_url(obj))
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": title,
        "trail": [admin.list_crumb(), own, Crumb(title)],
        "lines": lines,
        "act_subject": f"{getattr(admin, 'act_kind', '') or admin.opts.model_name}:{obj.pk}",
        "page": page,
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "portal/history.html", context)


class LoggedForms(ModelAdmin):
    """What forms log, and the page that shows the log.

    Django would keep labels and names of objects in the language of the person.
    """

    act_kind = ""
    """The kind of subject in acts, if it is not the model's name."""
    records_acts = False
    """Whether the admin itself records what its forms do, instead of the log."""

    def construct_change_message(
        self, request: HttpRequest, form: forms.BaseForm, formsets: Any, add: bool = False
    ) -> Stored:
        if add:
            return ADDED.store()
        return CHANGED.store(fields=names(self.opts.label_lower, form.changed_data))

    def log_addition(self, request: HttpRequest, obj: Model, message: Stored) -> None:
        log_change(request, [obj], message, ADDITION, is_act=not self.records_acts)

    def log_change(self, request: HttpRequest, obj: Model, message: Stored) -> None:
        log_change(request, [obj], message, CHANGE, is_act=not self.records_acts)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> None:
        is_act = not self.records_acts
        log_change(request, queryset, DELETED.store(), DELETION, is_act=is_act)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        return history_page(self, request, obj)
