"""The list "Sent alerts": what was sent to whom, when, and whether it arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.buttons import Crumb, EmptyState
from core.admin.filters import AnyOfFilter, LocalTimeFilter, RelatedFilter
from core.admin.labels import label_for, state_label
from core.admin.list_export import Column, ListExport
from core.admin.read_only import ReadOnlyAdmin
from core.masking import data
from core.punctuation import separated, with_detail
from core.times import when

from ..kinds import KINDS
from ..message import title_of
from ..models import Delivery
from ..permissions import VIEW_ALERTS
from ..presentation.labels import LABELS
from ..presentation.sent_lines import SentLine
from .overview_page import TITLE

SENT_ALERTS: Final = pgettext_lazy("title", "Sent alerts")
COLUMNS: Final = {
    "time": pgettext_lazy("column", "Time"),
    "alert": pgettext_lazy("column", "Alert"),
    "rule": pgettext_lazy("column", "Rule"),
    "to": pgettext_lazy("column", "To"),
    "state": pgettext_lazy("column", "State"),
    "why": pgettext_lazy("column", "Reason"),
    "tries": pgettext_lazy("column", "Tries"),
    "ended": pgettext_lazy("column", "Ended"),
}


class StateFilter(AnyOfFilter):
    title = pgettext_lazy("field", "State")
    parameter_name = "state"
    field_name = "state"
    words = {str(state): label.word for state, label in LABELS.items()}


class KindFilter(AnyOfFilter):
    title = pgettext_lazy("field", "Rule")
    parameter_name = "kind"
    field_name = "kind"
    words = {kind.key: kind.title for kind in KINDS}


def columns(_reader: User) -> list[Column]:
    return [
        Column(COLUMNS["time"], lambda row: row.created_at),
        Column(COLUMNS["alert"], lambda row: SentLine(row).text),
        Column(pgettext_lazy("column", "Details"), lambda row: separated(SentLine(row).lines)),
        Column(COLUMNS["rule"], title_of),
        Column(COLUMNS["to"], lambda row: row.receiver_name),
        Column(COLUMNS["state"], lambda row: label_for("alert", row.state).word),
        Column(COLUMNS["why"], lambda row: SentLine(row).error),
        Column(COLUMNS["tries"], lambda row: row.tries),
        Column(COLUMNS["ended"], lambda row: row.ended_at),
        Column(pgettext_lazy("column", "Id"), lambda row: row.public_id),
    ]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_title = SENT_ALERTS
    list_display = ("time", "alert", "to", "state_", "tries_")
    list_display_links = ("time", "alert")
    list_filter = (
        StateFilter,
        KindFilter,
        ("receiver", RelatedFilter),
        ("created_at", LocalTimeFilter),
    )
    list_export = ListExport("alerts", columns)
    sortable_by = ("time",)
    ordering = ("-created_at", "-pk")
    actions = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm(VIEW_ALERTS)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        trail = [Crumb(TITLE, reverse("admin:alerts")), Crumb(SENT_ALERTS)]
        return super().changelist_view(request, {"trail": trail, **(extra_context or {})})

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("No alert has been sent."), icon="notifications")

    def get_detail_title(self, request: HttpRequest, obj: Delivery) -> str:
        return SentLine(obj).text

    def get_detail_context(self, request: HttpRequest, obj: Delivery) -> Mapping[str, Any]:
        line = SentLine(obj)
        values = {
            "time": when(obj.created_at, full=True),
            "rule": title_of(obj),
            "alert": format_html_join(SafeString("<br>"), "{}", ([one] for one in line.lines)),
            "to": data(obj.receiver_name),
            "state": state_label("alert", obj.state),
            "why": line.error,
            "tries": obj.tries,
            "ended": when(obj.ended_at, full=True),
        }
        facts = [(COLUMNS[name], value) for name, value in values.items() if value != ""]
        return {"facts": facts}

    @admin.display(description=COLUMNS["time"], ordering="created_at")
    def time(self, row: Delivery) -> SafeString:
        return when(row.created_at)

    @admin.display(description=COLUMNS["alert"])
    def alert(self, row: Delivery) -> str:
        line = SentLine(row)
        return with_detail(line.text, separated(line.lines)) if line.lines else line.text

    @admin.display(description=COLUMNS["to"])
    def to(self, row: Delivery) -> SafeString:
        return data(row.receiver_name)

    @admin.display(description=COLUMNS["state"])
    def state_(self, row: Delivery) -> str:
        label, why = state_label("alert", row.state), SentLine(row).error
        return with_detail(label, why) if why else label

    @admin.display(description=COLUMNS["tries"])
    def tries_(self, row: Delivery) -> int:
        return row.tries
