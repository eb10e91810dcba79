"""Callbacks: the list, the page of one, and processing again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib import messages as notes
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from core.admin.buttons import EmptyState
from core.admin.exact_search import keys_of
from core.admin.labels import state_label
from core.admin.read_only import ReadOnlyAdmin
from core.admin.reasons import REVEAL_REASONS
from core.times import full_time, short_time, when

from .. import journal
from ..callbacks import retry, wake
from ..callbacks.health import health_of
from ..models import Account, Callback
from ..presentation import callback_texts
from .account_cell import AccountCell
from .callback_actions import ProcessAgain, RevealCallback, log_processed_again
from .callback_filters import FILTERS
from .list_exports import CALLBACKS

State = Callback.State
MAX_AT_ONCE: Final = 10_000
MAX_EVENTS_SHOWN: Final = 100
TABS: Final[tuple[tuple[Promise, tuple[str, ...]], ...]] = (
    (pgettext_lazy("tab", "All"), ()),
    (pgettext_lazy("tab", "Unmatched"), (State.UNMATCHED,)),
    (pgettext_lazy("tab", "Unrecognised"), (State.UNRECOGNISED,)),
    (pgettext_lazy("tab", "Conflicts"), (State.CONFLICT,)),
)


@admin.register(Callback)
class CallbackAdmin(AccountCell, ReadOnlyAdmin):
    list_display = ("received", "account_", "says_", "for_", "times", "state_")
    list_display_links = ("received",)
    list_select_related = ("account",)
    indexed_pairs = ()
    time_field = "received_at"
    sortable_by = ("received",)
    list_filter = FILTERS
    list_before_template = "providers/callback_health.html"
    search_fields = ("subject",)
    search_help_text = _("Full ID: our reference or the provider's ID")
    ordering = ("-received_at", "-pk")
    actions = ("process_again",)
    detail_template = "providers/callback.html"
    list_export = CALLBACKS
    pages = (
        ("<str:object_id>/again/", "again", ProcessAgain),
        ("<str:object_id>/reveal/", "reveal", RevealCallback),
    )

    class Media:
        css = {"all": ["portal/providers.css"]}

    # --- the list ------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Callback]:
        rows: QuerySet[Callback] = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and (match.url_name or "").endswith("_changelist"):
            return rows.defer("body", "query", "outcomes")
        return rows.select_related("account")

    def prepare_rows(self, rows: Sequence[Callback]) -> None:
        links = journal.subject_links(row.subject for row in rows)
        for row in rows:
            row.subject_html = _linked(row.subject, links.get(row.subject))  # type: ignore[attr-defined]

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        if request.GET.getlist("state") == [State.UNMATCHED]:
            return EmptyState(_("All callbacks are matched."), icon="task_alt")
        return EmptyState(_("No callbacks received yet."), icon="webhook")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "tab_list": self.tab_list(request),
            "healths": health_of(Account.objects.all()),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def tab_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        chosen = set(request.GET.getlist("state"))
        address = reverse(self.url_name("changelist"))
        items = [
            {
                "title": _tab_title(title, states),
                "link": f"{address}?{urlencode([('state', state) for state in states])}",
                "active": chosen == set(states),
                "has_permission": True,
            }
            for title, states in TABS
        ]
        return [{"models": ["providers.callback"], "items": items}]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Callback], search_term: str
    ) -> tuple[QuerySet[Callback], bool]:
        """Search by complete ids only: a search for parts would reveal numbers to staff who may
        not see them."""
        term = search_term.strip()[:64]
        if not term:
            return queryset, False
        found = keys_of(
            Callback.objects.filter(public_id=term[:24]),
            Callback.objects.filter(subject__in=journal.find_subjects(term)),
        )
        return queryset.filter(pk__in=found), False

    @admin.display(description=_("Received at"), ordering="received_at")
    def received(self, callback: Callback) -> SafeString:
        return when(callback.received_at)

    @admin.display(description=pgettext_lazy("column", "Report"), ordering="says")
    def says_(self, callback: Callback) -> str:
        return callback_texts.report_text(callback)

    @admin.display(description=_("Related to"))
    def for_(self, callback: Callback) -> str | SafeString:
        return callback.subject_html or gettext("no match")  # type: ignore[attr-defined]

    @admin.display(description=pgettext_lazy("column", "State"), ordering="state")
    def state_(self, callback: Callback) -> SafeString:
        label = state_label("callback", callback.state)
        if callback.state != State.UNMATCHED:
            return label
        again = gettext("no more automatic retries")
        if callback.next_try_at is not None:
            again = gettext("next retry at %(time)s") % {"time": short_time(callback.next_try_at)}
        return format_html('{} <span class="hint">{}</span>', label, again)

    # --- process again -----------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        offered: dict[str, Any] = super().get_actions(request)
        may = request.user.has_perm("providers.process_callback")
        return {name: one for name, one in offered.items() if may and name == "process_again"}

    @action(description=_("Process again"))
    def process_again(self, request: HttpRequest, queryset: QuerySet[Callback]) -> None:
        ids = list(queryset.order_by().values_list("pk", flat=True)[:MAX_AT_ONCE])
        count = retry.process_again(Callback.objects.filter(pk__in=ids))
        wake.wake_processing()
        log_processed_again(request, Callback.objects.filter(pk__in=ids))
        text = ngettext(
            "%(count)d callback will be processed again.",
            "%(count)d callbacks will be processed again.",
            count,
        )
        notes.success(request, text % {"count": count})

    # --- one callback --------------------------------------------------------------

    def get_detail_title(self, request: HttpRequest, obj: Callback) -> str:
        return f"{obj.account.name} · {full_time(obj.received_at)}"

    def get_detail_context(self, request: HttpRequest, obj: Callback) -> Mapping[str, Any]:
        can = request.user.has_perm
        return {
            "callback": obj,
            "says": callback_texts.report_text(obj),
            "problem": callback_texts.problem_text(obj.problem) if obj.problem else "",
            "subject": subject_display(obj.subject),
            "other": subject_display(obj.outcomes[0].get("other", "")) if obj.outcomes else "",
            "matched_by": callback_texts.MATCHED_BY.get(obj.matched_by, ""),
            "several": obj.events > 1,
            "outcomes": [_outcome_context(one) for one in obj.outcomes[:MAX_EVENTS_SHOWN]],
            "query": callback_texts.raw_query(obj, whole=False),
            "body": callback_texts.raw_body(obj, whole=False),
            "may_reveal": can("providers.reveal_callback"),
            "may_process": can("providers.process_callback"),
            "reveal_reasons": list(REVEAL_REASONS.items()),
            "urls": {name: self.object_url(obj, name) for name in ("again", "reveal")},
        }


def _tab_title(title: Promise, states: tuple[str, ...]) -> str:
    if not states:
        return str(title)
    count = Callback.objects.filter(state__in=states).order_by()[:100].count()
    if not count:
        return str(title)
    return f"{title} {count if count < 100 else '99+'}"


def subject_display(subject: str) -> str | SafeString:
    """A link if an app above resolves the subject, otherwise the subject itself."""
    return _linked(subject, journal.subject_link(subject) if subject else None)


def _linked(subject: str, link: tuple[str, str] | None) -> str | SafeString:
    return format_html('<a href="{}">{}</a>', link[1], link[0]) if link else subject


def _outcome_context(one: Mapping[str, str]) -> dict[str, Any]:
    word = str(callback_texts.REPORT_WORDS.get(one.get("says", ""), ""))
    problem = one.get("problem", "")
    return {
        "state": one.get("state", ""),
        "says": word or gettext("unknown content"),
        "words": callback_texts.mask_words(one.get("words", "")),
        "problem": callback_texts.problem_text(problem) if problem else "",
        "subject": subject_display(one.get("subject", "")),
        "other": subject_display(one.get("other", "")),
    }
