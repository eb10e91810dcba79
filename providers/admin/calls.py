"""The journal of API calls, read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from core.admin.buttons import EmptyState
from core.admin.exact_search import keys_of, search_period
from core.admin.labels import state_label
from core.admin.read_only import ReadOnlyAdmin
from core.redaction import HIDDEN
from core.request_reference import parse as parse_reference
from core.templatetags.portal import duration, visible
from core.times import full_time, when

from .. import journal
from ..error_texts import Explanation, explain
from ..models import ApiCall
from ..pause_facts import may_fix_accounts, pause_fact
from ..presentation.labels import FREE_OPERATIONS, operation_label
from .account_cell import AccountCell
from .call_filters import FILTERS
from .list_exports import CALLS

TEXTS_OF: Final = timedelta(days=1)
"""The period that a search for a part of an address or an answer reads."""
MOST_TEXTS: Final = 5_000
"""Calls that it reads. An answer may be as long as 4 KiB."""


@admin.register(ApiCall)
class ApiCallAdmin(AccountCell, ReadOnlyAdmin):
    list_display = (
        "time",
        "account_",
        "operation_shown",
        "outcome_shown",
        "http",
        "took",
        "subject_shown",
    )
    list_display_links = ("time",)
    list_select_related = ("account",)
    indexed_pairs = ()
    time_field = "started_at"
    sortable_by = ("time",)
    list_filter = FILTERS
    search_fields = ("subject", "url", "answer_body")
    search_help_text = _(
        "Related message, code or order; reference of a request; address; or text of the answer"
    )
    ordering = ("-started_at", "-pk")

    detail_template = "providers/api_call.html"
    list_export = CALLS

    class Media:
        css = {"all": ["portal/providers.css"]}

    def prepare_rows(self, rows: Sequence[ApiCall]) -> None:
        links = journal.subject_links(row.subject for row in rows)
        for row in rows:
            row.subject_html = _linked(row.subject, links.get(row.subject))  # type: ignore[attr-defined]

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("No API calls yet."), icon="swap_horiz")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiCall]:
        rows: QuerySet[ApiCall] = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and (match.url_name or "").endswith("_changelist"):
            # The list does not show the bodies, which are 4 KiB each.
            return rows.defer("request_body", "answer_body")
        return rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ApiCall], search_term: str
    ) -> tuple[QuerySet[ApiCall], bool]:
        """Calls about what the term names; if it names nothing, a day's calls that contain it."""
        term = search_term.strip()[:200]
        if not term:
            return queryset, False
        if reference := parse_reference(term):
            found = keys_of(ApiCall.objects.filter(request_id=reference))
        else:
            subjects = {*journal.find_subjects(term[:64]), term[:64]}
            found = keys_of(ApiCall.objects.filter(subject__in=sorted(subjects)))
        if found:
            return queryset.filter(pk__in=found), False
        period = search_period(request, ApiCall.objects.all(), "started_at", TEXTS_OF, MOST_TEXTS)
        rows = queryset.filter(started_at__range=period)
        return rows.filter(Q(url__icontains=term) | Q(answer_body__icontains=term)), False

    @admin.display(description=pgettext_lazy("column", "Time"), ordering="started_at")
    def time(self, call: ApiCall) -> SafeString:
        return when(call.started_at)

    @admin.display(description=pgettext_lazy("column", "Operation"), ordering="operation")
    def operation_shown(self, call: ApiCall) -> str:
        return operation_label(call.operation)

    @admin.display(description=pgettext_lazy("column", "Outcome"), ordering="outcome")
    def outcome_shown(self, call: ApiCall) -> SafeString:
        return state_label("api_call", call.outcome)

    @admin.display(description=_("HTTP status"), ordering="http_status")
    def http(self, call: ApiCall) -> str:
        return str(call.http_status) if call.http_status is not None else pgettext("value", "none")

    @admin.display(description=pgettext_lazy("column", "Duration"), ordering="duration")
    def took(self, call: ApiCall) -> str:
        return duration(call.duration)

    @admin.display(description=_("Related to"))
    def subject_shown(self, call: ApiCall) -> str | SafeString:
        shown: str | SafeString = call.subject_html  # type: ignore[attr-defined]
        return shown

    # --- one call ----------------------------------------------------------

    def get_detail_title(self, request: HttpRequest, obj: ApiCall) -> str:
        return f"{operation_label(obj.operation)} · {full_time(obj.started_at)}"

    def get_detail_context(self, request: HttpRequest, obj: ApiCall) -> Mapping[str, Any]:
        free = obj.operation in FREE_OPERATIONS
        return {
            "call": obj,
            "operation": operation_label(obj.operation),
            "explanation": _explanation_of(obj, request, free=free) if obj.reason else None,
            "subject": subject_display(obj),
            "url": mark_hidden_parts(obj.url),
            "request_body": mark_hidden_parts(obj.request_body),
            "answer_body": mark_hidden_parts(obj.answer_body),
        }


def _explanation_of(call: ApiCall, request: HttpRequest, *, free: bool) -> Explanation:
    return explain(
        call.reason,
        free=free,
        pause=None if free else pause_fact(call.account, call.reason, call.started_at),
        may_fix=may_fix_accounts(request.user),
    )


def subject_display(call: ApiCall) -> str | SafeString:
    """A link if an app above resolves the subject, otherwise the subject itself."""
    if not call.subject:
        return ""
    return _linked(call.subject, journal.subject_link(call.subject))


def _linked(subject: str, link: tuple[str, str] | None) -> str | SafeString:
    return format_html('<a href="{}">{}</a>', link[1], link[0]) if link else subject


def mark_hidden_parts(text: str) -> SafeString:
    """Replace the marker of redacted parts by a chip and escape everything else."""
    chip = format_html('<span class="chip">{}</span>', pgettext("value", "hidden"))
    parts = [(visible(part),) for part in text.split(HIDDEN)]
    return format_html_join(chip, "{}", parts)
