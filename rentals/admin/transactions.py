"""Admin pages of the provider's transactions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.generic import View

from core.admin.buttons import EmptyState
from core.admin.exact_search import keys_of
from core.admin.pages import Page, current_user
from core.admin.read_only import ReadOnlyAdmin
from core.templatetags.portal import amount, visible
from core.times import when
from providers import account_checks
from providers.admin.account_cell import AccountCell
from providers.models import Enquiry

from ..catalogue import renting_accounts
from ..engine import list_sync_source
from ..models import Reading, Transaction
from ..presentation.timeline import type_word
from . import filters, money_page
from .export import TRANSACTIONS


class ReadNow(Page, View):
    """Queue readings of both lists and of the balance, so that they belong together.

    Web processes never call a provider.
    """

    permission_required = "rentals.read_transaction"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        wanted = request.POST.get("account", "")
        for account in renting_accounts():
            if wanted in ("", account.public_id):
                by = current_user(request)
                list_sync_source.request_reading(account, Reading.Kind.TRANSACTIONS, by, whole=True)
                list_sync_source.request_reading(account, Reading.Kind.ORDERS, by, whole=True)
                account_checks.request_check(account, Enquiry.Kind.BALANCE, by)
        messages.success(request, _("Reading the balance and the provider's lists."))
        return HttpResponseRedirect(reverse("admin:rentals_transaction_changelist"))


@admin.register(Transaction)
class TransactionAdmin(AccountCell, ReadOnlyAdmin):
    list_export = TRANSACTIONS
    list_title = pgettext_lazy("title", "Transactions")
    labelled_columns = ("order_", "balance", "frozen")
    list_display = (
        "time",
        "type_",
        "amount_",
        "order_",
        "balance",
        "frozen",
        "description_",
        "account_",
    )
    list_display_links = None
    indexed_pairs = ()
    time_field = "created_there"
    sortable_by = ("time",)
    list_filter = filters.TRANSACTIONS
    list_before_template = "rentals/money.html"
    search_fields = ("order_provider_id",)
    search_help_text = _("Order ID or transaction ID")
    ordering = ("-created_there", "-pk")
    pages = (("read/", "read", ReadNow),)

    class Media:
        css: ClassVar = {"all": ("portal/messaging.css", "portal/rentals.css")}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transaction]:
        rows: QuerySet[Transaction] = super().get_queryset(request)
        return rows.select_related("account")

    @admin.display(description=pgettext_lazy("column", "Time"), ordering="created_there")
    def time(self, row: Transaction) -> SafeString | str:
        return when(row.created_there) or row.raw_created_there

    @admin.display(description=pgettext_lazy("column", "Type"), ordering="type")
    def type_(self, row: Transaction) -> str:
        return type_word(row.type)

    @admin.display(description=pgettext_lazy("column", "Amount"), ordering="amount")
    def amount_(self, row: Transaction) -> SafeString:
        return _money(row.amount)

    @admin.display(description=_("Balance after"))
    def balance(self, row: Transaction) -> SafeString:
        return _money(row.balance_after)

    @admin.display(description=_("Frozen amount after"))
    def frozen(self, row: Transaction) -> SafeString:
        return _money(row.frozen_after)

    @admin.display(description=_("Description (from the provider)"))
    def description_(self, row: Transaction) -> SafeString:
        return format_html('<bdi dir="auto">{}</bdi>', visible(row.description[:200]))

    @admin.display(description=pgettext_lazy("column", "Order"))
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
        found = keys_of(
            Transaction.objects.filter(order_provider_id=term),
            Transaction.objects.filter(provider_id=term),
        )
        return queryset.filter(pk__in=found), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context: dict[str, Any] = {
            "tab_list": money_page.tab_list(request, "transaction"),
            "may_read": request.user.has_perm("rentals.read_transaction"),
            **(extra_context or {}),
        }
        answer = super().changelist_view(request, context)
        data = getattr(answer, "context_data", None)
        if data and "cl" in data:
            data["money"] = money_page.money_context(request, data["cl"].queryset)
        return answer

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("No transactions read from the provider yet."), None, "receipt_long")


def _money(value: Any) -> SafeString:
    return format_html('<span class="amount">{}</span>', amount(value))
