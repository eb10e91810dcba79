"""The pages about batches and templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.buttons import EmptyState
from core.admin.filters import LocalTimeFilter, RelatedFilter, StateFilter
from core.admin.labels import state_label
from core.admin.live import changed_cells
from core.admin.pages import fragment
from core.admin.read_only import ReadOnlyAdmin
from core.masking import data
from core.people import person_name
from core.times import when
from providers.admin.account_cell import AccountCell

from ..batches.progress import time_left
from ..models import Batch
from ..presentation.batch_bar import progress_cell, progress_of_many
from ..presentation.batch_labels import shown_state, where_shown
from . import batch_actions, batch_page, batch_start, export
from .new_batch import NewBatchPage, size

LINE: Final = 60
"""Characters of a text that a row may show."""


class ShownStateFilter(StateFilter):
    kind = "batch"

    def where(self, shown: str) -> Q:
        return where_shown(shown)


class SenderFilter(RelatedFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("Sent by")


@admin.register(Batch)
class BatchAdmin(AccountCell, ReadOnlyAdmin):
    detail_template = "messaging/batches/batch.html"
    list_export = export.BATCHES
    list_title = pgettext_lazy("title", "Batches")
    primary_page = ("messaging.bulk_message", _("New batch"), "new", "stacks")
    list_display = ("state_", "name_", "progress_", "account_", "good", "sender", "time")
    other_columns = ("file_", "started_", "ended_")
    list_filter = (
        ShownStateFilter,
        ("account", RelatedFilter),
        ("created_by", SenderFilter),
        ("created_at", LocalTimeFilter),
    )
    search_fields = ("name", "text", "file_name")
    search_help_text = _("Name, text or file name")
    ordering = ("-created_at", "-pk")
    pages = (
        ("new/", "new", NewBatchPage),
        ("new/size/", "size", size),
        ("changes/", "changes", "changes"),
        ("<str:object_id>/live/", "live", "live"),
        ("<str:object_id>/row/", "row", "row"),
        ("<str:object_id>/check/", "check", batch_actions.CheckPage),
        ("<str:object_id>/accept/", "accept", batch_actions.AcceptPage),
        ("<str:object_id>/report/", "report", batch_actions.ReportPage),
        ("<str:object_id>/confirm/", "confirm", batch_start.ConfirmPage),
        ("<str:object_id>/test/", "test", batch_start.TrialPage),
        ("<str:object_id>/pause/", "pause", batch_actions.PausePage),
        ("<str:object_id>/continue/", "continue", batch_actions.ContinuePage),
        ("<str:object_id>/unschedule/", "unschedule", batch_actions.UnschedulePage),
        ("<str:object_id>/cancel/", "cancel", batch_actions.CancelBatchPage),
        ("<str:object_id>/again/", "again", batch_actions.ResendPage),
    )

    class Media:
        css: ClassVar = {"all": ("portal/messaging.css", "portal/batches.css", "portal/charts.css")}
        js = ("portal/live_list.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        rows: QuerySet[Batch] = super().get_queryset(request)
        return rows.select_related("account", "created_by", "answerable", "sent_again_from")

    @admin.display(description=pgettext_lazy("column", "State"), ordering="state")
    def state_(self, batch: Batch) -> SafeString:
        return state_label("batch", shown_state(batch))

    @admin.display(description=_("Name / text"), ordering="name")
    def name_(self, batch: Batch) -> SafeString:
        text = " ".join(Truncator(batch.text).chars(LINE).split())
        is_said = text.startswith(batch.title.removesuffix("…"))
        other = batch.file_name or str(batch.get_source_display())
        below = other if is_said or not text else text
        return format_html(
            '<bdi class="batch-name">{}</bdi> <bdi class="one-line">{}</bdi>',
            batch.title,
            below,
        )

    @admin.display(description=pgettext_lazy("column", "Progress"))
    def progress_(self, batch: Batch) -> SafeString | str:
        counted = getattr(batch, "counted", None)
        return progress_cell(counted, time_left(batch, counted) if counted else None)

    def prepare_rows(self, rows: Sequence[Batch]) -> None:
        counted = progress_of_many(rows)
        for batch in rows:
            batch.counted = counted.get(batch.pk)  # type: ignore[attr-defined]

    @admin.display(description=_("Created by"), ordering="created_by")
    def sender(self, batch: Batch) -> SafeString:
        return data(person_name(batch.created_by))

    @admin.display(description=pgettext_lazy("column", "Time"), ordering="created_at")
    def time(self, batch: Batch) -> SafeString:
        return when(batch.created_at)

    @admin.display(description=_("Recipients file"))
    def file_(self, batch: Batch) -> SafeString:
        return data(batch.file_name)

    @admin.display(description=_("Started at"))
    def started_(self, batch: Batch) -> SafeString:
        return when(batch.started_at)

    @admin.display(description=_("Ended at"))
    def ended_(self, batch: Batch) -> SafeString:
        return when(batch.ended_at)

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> list[Any]:
        return list(list_display[:2])

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(
            _("No batches yet. A batch sends one text to many numbers."),
            self.get_list_primary(request),
            "stacks",
        )

    @fragment("messaging.view_batch")
    def changes(self, request: HttpRequest) -> HttpResponse:
        return changed_cells(
            self,
            request,
            lambda batch: {"state_": self.state_(batch), "progress_": self.progress_(batch)},
        )

    def get_detail_title(self, request: HttpRequest, obj: Batch) -> str:
        return obj.title

    def get_detail_context(self, request: HttpRequest, obj: Batch) -> Mapping[str, Any]:
        return batch_page.context_of(self, request, obj)

    @fragment("messaging.view_batch")
    def live(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.get_or_404(request, object_id)
        context = {
            "object": batch,
            "is_fragment": True,
            **batch_page.context_of(self, request, batch),
        }
        return render(request, "messaging/batches/live.html", context)

    @fragment("messaging.view_batch")
    def row(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.get_or_404(request, object_id)
        typed = request.GET.get("row", "0")
        index = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0
        preview = batch_page.preview_of(batch, index, request.user)
        context = {"preview": preview, "batch": batch, "urls": {"row": request.path}}
        return render(request, "messaging/batches/preview.html", context)
