"""Transactions and the ledger check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from core.admin import Button, EmptyState, Page, ReadOnlyAdmin
from core.labels import label_for, state_label
from core.pages import person
from core.reasons_given import reason_from
from core.templatetags.portal import amount, visible
from core.times import when

from .. import filters, ledger, money_page, reading
from ..catalogue import renting_accounts
from ..exporting import export_transactions
from ..models import Finding, Reading, Transaction
from ..timeline import name_of, type_word

EXPLAIN_REASONS = {
    "provider": _("The provider confirmed it"),
    "elsewhere": _("Rented elsewhere with the same key"),
    "later": _("Booked later"),
}


def tab_list(request: HttpRequest, active: str) -> list[dict[str, Any]]:
    """Transactions and ledger check share one place in the sidebar."""
    pages = (
        ("transaction", _("Transactions"), ""),
        ("finding", _("Ledger check"), "?open=open"),
    )
    items = [
        {
            "title": title,
            "link": reverse(f"admin:rentals_{model}_changelist") + query,
            "active": model == active,
            "has_permission": request.user.has_perm(f"rentals.view_{model}"),
        }
        for model, title, query in pages
    ]
    return [{"models": ["rentals.transaction", "rentals.finding"], "items": items}]


class ReadNow(Page, View):
    """Puts the question to the queue; no web process asks a provider."""

    permission_required = "rentals.read_transaction"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        wanted = request.POST.get("account", "")
        for account in renting_accounts():
            if wanted in ("", account.public_id):
                by = person(request)
                reading.ask(account, Reading.Kind.TRANSACTIONS, by, whole=True)
                reading.ask(account, Reading.Kind.ORDERS, by, whole=True)
        messages.success(request, _("The provider's lists are being read."))
        return HttpResponseRedirect(reverse("admin:rentals_transaction_changelist"))


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin):
    list_title = _("Transactions")
    list_display = (
        "time",
        "type_",
        "amount_",
        "order_",
        "balance",
        "frozen",
        "description_",
        "account",
    )
    list_display_links = None
    list_filter = filters.TRANSACTIONS
    list_before_template = "rentals/money.html"
    search_fields = ("order_provider_id",)
    search_help_text = _("An order id or a transaction's id")
    ordering = ("-created_there", "-pk")
    pages = (("export/", "export", "export"), ("read/", "read", ReadNow))

    class Media:
        css: ClassVar = {"all": ("portal/messaging.css", "portal/rentals.css")}
        js: ClassVar = ("unfold/js/chart/chart.js", "portal/balance_chart.js")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transaction]:
        rows: QuerySet[Transaction] = super().get_queryset(request)
        return rows.select_related("account")

    @admin.display(description=_("Time"), ordering="created_there")
    def time(self, row: Transaction) -> SafeString | str:
        return when(row.created_there) or row.raw_created_there

    @admin.display(description=_("Type"), ordering="type")
    def type_(self, row: Transaction) -> str:
        return type_word(row.type)

    @admin.display(description=_("Amount"), ordering="amount")
    def amount_(self, row: Transaction) -> SafeString:
        return _money(row.amount)

    @admin.display(description=_("Balance after"))
    def balance(self, row: Transaction) -> SafeString:
        return _money(row.balance_after)

    @admin.display(description=_("Frozen after"))
    def frozen(self, row: Transaction) -> SafeString:
        return _money(row.frozen_after)

    @admin.display(description=_("Description (provider's words)"))
    def description_(self, row: Transaction) -> SafeString:
        return format_html('<bdi dir="auto">{}</bdi>', visible(row.description[:200]))

    @admin.display(description=_("Order"))
    def order_(self, row: Transaction) -> SafeString | str:
        if not row.order_provider_id:
            return ""
        url = f"{reverse('admin:rentals_order_changelist')}?q={row.order_provider_id}"
        return format_html('<a href="{}">{}</a>', url, row.order_provider_id)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Transaction], search_term: str
    ) -> tuple[QuerySet[Transaction], bool]:
        term = search_term.strip()[:100]
        if not term:
            return queryset, False
        return queryset.filter(Q(order_provider_id=term) | Q(provider_id=term)), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = request.user.has_perm
        context: dict[str, Any] = {
            "tab_list": tab_list(request, "transaction"),
            "export_url": reverse(self.url_name("export"))
            if may("rentals.export_transaction")
            else "",
            "may_read": may("rentals.read_transaction"),
            **(extra_context or {}),
        }
        answer = super().changelist_view(request, context)
        data = getattr(answer, "context_data", None)
        if data and "cl" in data:
            data["money"] = money_page.facts(request, data["cl"].queryset)
        return answer

    def get_list_primary(self, request: HttpRequest) -> Button | None:
        return None

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("Nothing read from the provider yet."), None, "receipt_long")

    def export(self, request: HttpRequest) -> Any:
        return export_transactions(self, request)


def _money(value: Any) -> SafeString:
    return format_html('<span class="amount">{}</span>', amount(value))


class CheckNow(Page, View):
    permission_required = "rentals.check_finding"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        count = sum(len(ledger.check(account)) for account in renting_accounts())
        if count:
            messages.warning(request, _("Checked. What does not agree is listed below."))
        else:
            messages.success(request, _("Checked. Nothing is open."))
        return HttpResponseRedirect(reverse("admin:rentals_finding_changelist") + "?open=open")


class ExplainPage(Page, View):
    permission_required = "rentals.explain_finding"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if self.model_admin is None:
            raise RuntimeError("An action belongs to a model's admin.")
        finding: Finding = self.model_admin.get_or_404(request, object_id)
        because = reason_from(request, EXPLAIN_REASONS)
        if not because:
            messages.error(request, _("Nothing was changed: choose or type a reason."))
        elif ledger.explain(finding, person(request), because):
            LogEntry.objects.log_actions(
                user_id=person(request).pk,
                queryset=[finding],
                action_flag=CHANGE,
                change_message=f"Explained: {because}",
            )
            messages.success(request, _("Explained. It stays here with your name and reason."))
        else:
            messages.warning(request, _("Nothing was changed: somebody explained it already."))
        return HttpResponseRedirect(self.model_admin.object_url(finding))


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    detail_template = "rentals/finding.html"
    list_title = _("Ledger check")
    list_display = ("kind_", "about_", "ours_", "theirs_", "account", "since_", "explained")
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

    @admin.display(description=_("Finding"), ordering="kind")
    def kind_(self, finding: Finding) -> SafeString:
        return state_label("finding", finding.kind)

    @admin.display(description=_("Order"))
    def about_(self, finding: Finding) -> str:
        return finding.about

    @admin.display(description=_("Ours"))
    def ours_(self, finding: Finding) -> str:
        return ours_line(finding)

    @admin.display(description=_("Theirs"))
    def theirs_(self, finding: Finding) -> str:
        return theirs_line(finding)

    @admin.display(description=_("Since"), ordering="since")
    def since_(self, finding: Finding) -> SafeString:
        return when(finding.since)

    @admin.display(description=_("Explained by"))
    def explained(self, finding: Finding) -> str:
        return name_of(finding.explained_by) if finding.explained_at else ""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        lines = [
            {"account": account, "at": ledger.agrees_up_to(account)}
            for account in renting_accounts()
        ]
        context = {
            "tab_list": tab_list(request, "finding"),
            "may_check": request.user.has_perm("rentals.check_finding"),
            "lines": lines,
            "any_open": bool(ledger.open_findings()),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("Everything agrees."), None, "task_alt")

    def get_detail_title(self, request: HttpRequest, obj: Finding) -> str:
        return f"{obj.get_kind_display()} {obj.about}"

    def get_detail_context(self, request: HttpRequest, obj: Finding) -> Mapping[str, Any]:
        rows = Transaction.objects.filter(account=obj.account)
        if obj.kind == Finding.Kind.UNKNOWN_TYPE:
            rows = rows.filter(type=obj.about)
        else:
            rows = rows.filter(order_provider_id=obj.about)
        may_explain = request.user.has_perm("rentals.explain_finding")
        return {
            "order": obj.order,
            "rows": [(row, type_word(row.type)) for row in rows.order_by("created_there")[:50]],
            "found": ledger.found_order_of(obj),
            "may_explain": may_explain and obj.explained_at is None,
            "explain_reasons": list(EXPLAIN_REASONS.items()),
            "explain_url": self.object_url(obj, "explain"),
            "explainer": name_of(obj.explained_by),
        }


def ours_line(finding: Finding) -> str:
    ours = finding.ours
    if not ours:
        return "–"
    word = label_for("order", ours.get("state", "")).word
    return f"{word} {ours.get('price', '')}".strip()


def theirs_line(finding: Finding) -> str:
    rows = finding.theirs[:4]
    return ", ".join(f"{type_word(row['type'])} {row['amount']}" for row in rows) or "–"
