"""Pages of the ledger check: findings, running the check, explaining a finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from core.admin.actions import ObjectAction
from core.admin.buttons import EmptyState
from core.admin.labels import state_label
from core.admin.once import once
from core.admin.pages import Page, current_user
from core.admin.read_only import ReadOnlyAdmin
from core.admin.reasons import Presets, reason_from, reason_problem
from core.people import person_name
from core.stored_texts import as_value, declare, show
from core.times import when
from providers.admin.account_cell import AccountCell

from .. import ledger
from ..catalogue import renting_accounts
from ..log_texts import EXPLAINED
from ..models import Finding, Transaction
from ..presentation.finding_lines import ours_line, theirs_line
from ..presentation.timeline import type_word
from ..transactions import variants_of
from . import filters
from .export import FINDINGS
from .money_page import tab_list

EXPLAIN_REASONS: Final[Presets] = {
    "provider": declare("finding.provider", _("The provider confirmed it")),
    "elsewhere": declare("finding.elsewhere", _("Rented elsewhere with the same API key")),
    "later": declare("finding.later", _("Booked with a delay")),
}


class CheckNow(Page, View):
    permission_required = "rentals.check_finding"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        for account in renting_accounts():
            ledger.check(account)
        agreement = agreement_of(ledger.comparisons(renting_accounts()))
        if agreement.has_findings:
            messages.warning(request, _("Check finished. Differences are listed below."))
        elif agreement.is_complete:
            messages.success(request, _("Check finished. No open findings."))
        else:
            messages.warning(request, agreement.text)
        return HttpResponseRedirect(reverse("admin:rentals_finding_changelist") + "?open=open")


class ExplainPage(ObjectAction[Finding]):
    permission_required = "rentals.explain_finding"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        finding = self.find(object_id)
        because = reason_from(request, EXPLAIN_REASONS)
        if not because:
            otherwise = _("No change: choose a reason, or describe it in a few words.")
            messages.error(request, reason_problem(request, otherwise))
        elif ledger.explain(finding, current_user(request), because):
            self.log(finding, EXPLAINED.store(reason=as_value(because)))
            messages.success(request, _("Explanation saved. It stays here with your name."))
        else:
            messages.warning(request, _("No change: this finding has already been explained."))
        return self.back_to(finding)


def _comparisons(request: HttpRequest) -> list[ledger.Comparison]:
    return once(request, "comparisons", lambda: ledger.comparisons(renting_accounts()))


@admin.register(Finding)
class FindingAdmin(AccountCell, ReadOnlyAdmin):
    detail_template = "rentals/finding.html"
    list_export = FINDINGS
    list_title = _("Ledger check")
    labelled_columns = ("ours_", "theirs_")
    list_display = ("kind_", "about_", "ours_", "theirs_", "account_", "since_", "explained")
    list_filter = filters.FINDINGS
    list_before_template = "rentals/ledger.html"
    ordering = ("-since", "-pk")
    pages = (
        ("check/", "check", CheckNow),
        ("<str:object_id>/explain/", "explain", ExplainPage),
    )

    class Media:
        css: ClassVar = {"all": ("portal/messaging.css", "portal/rentals.css")}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Finding]:
        rows: QuerySet[Finding] = super().get_queryset(request)
        return rows.select_related("account", "order", "explained_by")

    @admin.display(description=pgettext_lazy("column", "Finding"), ordering="kind")
    def kind_(self, finding: Finding) -> SafeString:
        return state_label("finding", finding.kind)

    @admin.display(description=pgettext_lazy("column", "Order"))
    def about_(self, finding: Finding) -> str:
        return finding.about

    @admin.display(description=_("In the portal"))
    def ours_(self, finding: Finding) -> str:
        return ours_line(finding)

    @admin.display(description=_("At the provider"))
    def theirs_(self, finding: Finding) -> str:
        return theirs_line(finding)

    @admin.display(description=_("Open since"), ordering="since")
    def since_(self, finding: Finding) -> SafeString:
        return when(finding.since)

    @admin.display(description=_("Explained by"))
    def explained(self, finding: Finding) -> str:
        return person_name(finding.explained_by) if finding.explained_at else ""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "tab_list": tab_list(request, "finding"),
            "may_check": request.user.has_perm("rentals.check_finding"),
            "lines": _comparisons(request),
            **(extra_context or {}),
        }
        answer = super().changelist_view(request, context)
        data = getattr(answer, "context_data", None)
        if data and "cl" in data and request.GET.dict() == {"open": "open"}:
            # The default view filters by "open"; an empty one does not mean that the filters are
            # too narrow.
            data["cl"].is_narrowed = False
        return answer

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        agreement = agreement_of(_comparisons(request))
        if agreement.is_complete:
            return EmptyState(agreement.text, None, "task_alt")
        return EmptyState(agreement.text, None, "rule", is_warning=True)

    def get_detail_title(self, request: HttpRequest, obj: Finding) -> str:
        return f"{obj.get_kind_display()} {obj.about}"

    def get_detail_context(self, request: HttpRequest, obj: Finding) -> Mapping[str, Any]:
        kind, field = obj.kind, "order_provider_id"
        if kind in (Finding.Kind.UNKNOWN_TYPE, Finding.Kind.DOUBLED_ID):
            field = "type" if kind == Finding.Kind.UNKNOWN_TYPE else "provider_id"
        booked = Transaction.objects.filter(account=obj.account, **{field: obj.about})
        rows = list(booked.order_by("created_there")[:50])
        is_doubled = kind == Finding.Kind.DOUBLED_ID
        if is_doubled:
            rows += [other for row in rows for other in variants_of(row)]
        may_explain = request.user.has_perm("rentals.explain_finding")
        return {
            "order": obj.order,
            "rows": [(row, type_word(row.type)) for row in rows],
            "is_doubled": is_doubled,
            "repeated": sum(row.repeated or 0 for row in rows),
            "found": ledger.found_order_of(obj),
            "may_explain": may_explain and obj.explained_at is None,
            "explain_reasons": list(EXPLAIN_REASONS.items()),
            "explain_url": self.object_url(obj, "explain"),
            "explainer": person_name(obj.explained_by),
            "explanation": show(obj.explained_because),
        }


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the checks of all accounts prove together, in one sentence."""

    text: str
    is_complete: bool
    """Whether every account was compared."""
    has_findings: bool = False


def agreement_of(comparisons: Sequence[ledger.Comparison]) -> Agreement:
    missing = sum(one.compared_up_to is None for one in comparisons)
    found = sum(one.findings for one in comparisons)
    if found:
        text = ngettext("%(count)d open finding.", "%(count)d open findings.", found)
        return Agreement(text % {"count": found}, not missing, has_findings=True)
    if not comparisons:
        return Agreement(gettext("Nothing was compared: no account rents numbers."), False)
    if missing == len(comparisons):
        return Agreement(gettext("Nothing has been compared yet."), False)
    if missing:
        text = ngettext(
            "No differences found in what could be compared; %(count)d account could not be"
            " compared.",
            "No differences found in what could be compared; %(count)d accounts could not be"
            " compared.",
            missing,
        )
        return Agreement(text % {"count": missing}, False)
    if any(one.explained for one in comparisons):
        return Agreement(gettext("No open findings: every difference has been explained."), True)
    return Agreement(gettext("No differences."), True)
