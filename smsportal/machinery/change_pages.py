"""Changes of rows by staff: who changed which field of what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditlog.models import LogEntry
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from core.admin.field_labels import field_label
from core.admin.labels import Role, StateLabel, register_states, state_label
from core.masking import data
from core.people import person_name
from core.punctuation import label_text, listed
from core.times import when

from ..rights.roles import VIEW_ROW_CHANGES
from .pages import MachineryAdmin

MOST_NAMED: Final = 4
"""Fields that the list names."""
ACTIONS: Final[dict[int, tuple[Promise, Role, str, Promise]]] = {
    LogEntry.Action.CREATE: (
        pgettext_lazy("change", "Added"),
        Role.SUCCESS,
        "add_circle",
        _("The row is new. Its fields are listed with their first values."),
    ),
    LogEntry.Action.UPDATE: (
        pgettext_lazy("change", "Changed"),
        Role.INFO,
        "edit",
        _("Fields of the row have other values than before."),
    ),
    LogEntry.Action.DELETE: (
        pgettext_lazy("change", "Deleted"),
        Role.DANGER,
        "delete",
        _("The row is gone. Its fields are listed with their last values."),
    ),
    LogEntry.Action.ACCESS: (
        pgettext_lazy("change", "Opened"),
        Role.NEUTRAL,
        "visibility",
        _("The row was looked at, and not changed."),
    ),
}
register_states(
    "change",
    {str(action): StateLabel(*label) for action, label in ACTIONS.items()},
)


class ChangePage(MachineryAdmin):
    permission = VIEW_ROW_CHANGES
    list_title = _("Changes of rows")
    counted_as = (pgettext_lazy("counted", "change"), pgettext_lazy("counted", "changes"))
    list_display = ("time", "person", "what", "act", "fields_")
    search_fields = ("=object_pk", "object_repr", "=actor__username")
    ordering = ("-timestamp", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        rows: QuerySet[LogEntry] = super().get_queryset(request)
        return rows.select_related("actor", "content_type")

    @admin.display(description=pgettext_lazy("column", "Time"), ordering="timestamp")
    def time(self, entry: LogEntry) -> SafeString:
        return when(entry.timestamp)

    @admin.display(description=pgettext_lazy("field", "Person"))
    def person(self, entry: LogEntry) -> SafeString:
        return data(person_name(entry.actor))

    @admin.display(description=pgettext_lazy("column", "Object"))
    def what(self, entry: LogEntry) -> str:
        model = entry.content_type.model_class()
        kind = capfirst(str(model._meta.verbose_name)) if model else entry.content_type.model
        return label_text(kind, data(entry.object_repr))

    @admin.display(description=pgettext_lazy("column", "Change"))
    def act(self, entry: LogEntry) -> SafeString:
        return state_label("change", str(entry.action))

    @admin.display(description=pgettext_lazy("column", "Fields"))
    def fields_(self, entry: LogEntry) -> SafeString:
        names = [conditional_escape(_field_name(entry, name)) for name in entry.changes or {}]
        named, more = SafeString(listed(names[:MOST_NAMED])), len(names) - MOST_NAMED
        if more <= 0:
            return named
        return format_html(pgettext("fields", "{names} and {n} more"), names=named, n=more)

    def get_detail_title(self, request: HttpRequest, obj: LogEntry) -> str:
        return self.what(obj)

    def get_detail_context(self, request: HttpRequest, obj: LogEntry) -> Mapping[str, Any]:
        return {
            "state": self.act(obj),
            "facts": [
                (pgettext("column", "Time"), when(obj.timestamp, full=True)),
                (pgettext("field", "Person"), self.person(obj)),
                (_("IP address"), data(obj.remote_addr or "")),
            ],
            "changes": [
                (_field_name(obj, name), *_before_and_after(values))
                for name, values in (obj.changes or {}).items()
            ],
        }


def _field_name(entry: LogEntry, name: str) -> str | SafeString:
    """The label of a field, in the reader's language."""
    model = entry.content_type.model_class()
    try:
        if model is not None:
            return field_label(capfirst(str(model._meta.get_field(name).verbose_name)))
    except (FieldDoesNotExist, AttributeError):
        pass
    return data(name)


def _before_and_after(values: Any) -> tuple[SafeString, SafeString]:
    """The two cells of a changed field. Fields with several values state what was done."""
    if isinstance(values, dict):
        objects = listed(data(one) for one in values.get("objects", ()))
        added = values.get("operation") == "add"
        return (
            (SafeString(""), SafeString(objects))
            if added
            else (SafeString(objects), SafeString(""))
        )
    before, after = [*values, "", ""][:2] if isinstance(values, list) else ("", values)
    return data(_shown(before)), data(_shown(after))


def _shown(value: Any) -> str:
    return "" if value in (None, "None") else str(value)


PAGES: Final = ((LogEntry, ChangePage),)
