"""The list of what people did, and the page of one entry."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from core.admin.buttons import EmptyState
from core.admin.list_export import Column, ListExport
from core.admin.pages import current_user
from core.admin.read_only import ReadOnlyAdmin
from core.admin.word_search import WordSearch
from core.client_address import parse_address
from core.masking import data
from core.people import person_name
from core.times import when
from providers import clock
from providers.journal import find_subjects

from ..addresses import address_of, facts_of
from ..models import ACCEPT, Entry
from ..presentation.chain_texts import chain_state
from ..presentation.sentences import (
    Readings,
    plain_sentence,
    reason_text,
    sentence,
)
from ..visibility import may_read, may_read_all, visible_to
from .accept_page import AcceptBreak
from .check_page import CheckChain
from .filters import FILTERS

SEARCHED_DAYS: Final = 90
"""How far back a word is looked for. An id or a username is found whenever it was."""


def entry_columns(_reader: User) -> list[Column]:
    return [
        Column(pgettext_lazy("column", "No."), lambda act: act.pk),
        Column(pgettext_lazy("column", "Time"), lambda act: act.at),
        Column(pgettext_lazy("field", "Person"), lambda act: person_name(act.by)),
        Column(_("What was done"), lambda act: plain_sentence(act, act.readings)),
        Column(pgettext_lazy("field", "Reason"), reason_text),
        Column(_("IP address"), address_of),
    ]


@admin.register(Entry)
class EntryAdmin(WordSearch, ReadOnlyAdmin):
    list_title = _("Audit log")
    list_display = ("time", "person", "done", "address")
    list_display_links = ("time",)
    list_select_related = ("by", "personal_row", "address_row")
    list_filter = FILTERS
    list_before_template = "audit/chain.html"
    list_export = ListExport("audit-log", entry_columns)
    list_per_page = 50
    indexed_pairs = ()
    few_rows_by = ("subject",)
    time_field = "at"
    sortable_by = ("time",)
    search_fields = ("pk",)
    search_help_text = _("Reason, username, IP address or id")
    ordering = ("-at", "-pk")
    actions = ()
    detail_template = "portal/machinery.html"
    pages = (
        ("check/", "check", CheckChain),
        ("accept/<str:key>/", "accept_break", AcceptBreak),
    )

    class Media:
        css = {"all": ["portal/audit.css"]}

    # --- who may see what ------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may_read(request.user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        rows: QuerySet[Entry] = super().get_queryset(request)
        return visible_to(current_user(request), rows)

    # --- the list --------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        sees_all, accepts = may_read_all(request.user), request.user.has_perm(ACCEPT)
        context = {
            "chain": chain_state() if sees_all or accepts else None,
            "may_check": sees_all,
            "may_accept": accepts,
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def search_rows(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        if subjects := find_subjects(term):
            return rows.filter(subject__in=subjects)
        person = User.objects.filter(username=term).values_list("pk", flat=True).first()
        if person is not None:
            return rows.filter(by=person)
        if address := parse_address(term):
            return rows.filter(address_row__address=str(address))
        since = clock.now() - timedelta(days=SEARCHED_DAYS)
        words = Q(personal_row__text__icontains=term) | Q(reason__icontains=term)
        return rows.filter(words, at__gte=since)

    def prepare_rows(self, rows: Sequence[Any]) -> None:
        readings = Readings.of(rows)
        for row in rows:
            row.readings = readings

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("Nothing has been recorded yet."), icon="policy")

    @admin.display(description=pgettext_lazy("column", "Time"), ordering="at")
    def time(self, act: Any) -> SafeString:
        return when(act.at)

    @admin.display(description=pgettext_lazy("field", "Person"))
    def person(self, act: Any) -> SafeString:
        return data(person_name(act.by))

    @admin.display(description=_("What was done"))
    def done(self, act: Any) -> SafeString:
        told, why = sentence(act, act.readings), reason_text(act)
        reason = format_html('<small class="act-reason">{}</small>', data(why)) if why else ""
        return format_html('<span class="act">{}{}</span>', told, reason)

    @admin.display(description=_("IP address"))
    def address(self, act: Any) -> SafeString:
        return data(address_of(act))

    # --- the page of one entry ---------------------------------------------------

    def get_detail_title(self, request: HttpRequest, obj: Any) -> str:
        return pgettext("title", "Entry %(number)s") % {"number": obj.pk}

    def get_detail_context(self, request: HttpRequest, obj: Any) -> Mapping[str, Any]:
        readings = Readings.of([obj])
        sealed = _("not yet sealed") if obj.seal is None else obj.seal
        facts = [
            (_("What was done"), sentence(obj, readings)),
            (pgettext("column", "Time"), when(obj.at, full=True)),
            (pgettext("field", "Person"), data(person_name(obj.by))),
            (pgettext("field", "Reason"), data(reason_text(obj))),
            (_("IP address"), data(address_of(obj))),
            (pgettext("field", "Seal"), sealed),
        ]
        details = facts_of(obj)
        raw = json.dumps(details, ensure_ascii=False, indent=2) if details else ""
        return {"facts": facts, "raw_title": pgettext("title", "Values"), "raw": raw}
