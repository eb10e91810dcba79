"""The list of accounts and the URLs of their pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from core.admin.base import PortalAdmin
from core.admin.buttons import Button, EmptyState
from core.admin.labels import state_label
from core.admin.pages import NeedsPermission, fragment
from core.times import when

from ..account_facts import AccountFacts, facts_about, facts_of
from ..models import Account
from ..presentation.balance_texts import balance_cell
from . import account_pages
from . import callback_address_pages as callback_pages
from .account_summary import annotate_summary
from .list_exports import ACCOUNTS


@admin.register(Account)
class AccountAdmin(PortalAdmin):
    list_display = ("name", "provider_name", "state", "available", "limits", "last_call")
    list_display_links = ("name",)
    list_export = ACCOUNTS
    search_fields = ("name", "base_url")
    ordering = ("name",)
    pages = (
        ("<str:public_id>/check/", "check", account_pages.CheckAccount),
        ("<str:public_id>/checked/", "checked", "checked"),
        ("<str:public_id>/pause/", "pause", account_pages.PauseAccount),
        ("<str:public_id>/resume/", "resume", account_pages.ResumeAccount),
        ("<str:public_id>/callbacks/", "callbacks", "callbacks"),
        ("<str:public_id>/test-address/", "test_address", callback_pages.TestAddress),
        ("<str:public_id>/new-address/", "new_address", callback_pages.NewAddress),
        ("<str:public_id>/revoke-address/", "revoke_address", callback_pages.RevokeAddress),
    )

    class Media:
        css = {"all": ["portal/providers.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        rows: QuerySet[Account] = super().get_queryset(request)
        return annotate_summary(rows)

    # --- list --------------------------------------------------------------

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(
            _("No accounts yet. An account is your login with a provider."),
            self.get_list_primary(request),
            "account_balance_wallet",
        )

    def get_list_primary(self, request: HttpRequest) -> Button | None:
        button = super().get_list_primary(request)
        return Button(_("Add account"), button.url, button.icon) if button else None

    @admin.display(description=pgettext_lazy("column", "Provider"), ordering="provider")
    def provider_name(self, account: Account) -> str:
        return account.provider_name

    @admin.display(description=pgettext_lazy("column", "State"))
    def state(self, account: Account) -> SafeString:
        return state_label("account", self._facts(account).state)

    @admin.display(description=pgettext_lazy("column", "Available"))
    def available(self, account: Account) -> SafeString | str:
        return balance_cell(self._facts(account).balance)

    def prepare_rows(self, rows: Sequence[Any]) -> None:
        facts = facts_of(rows)
        for account in rows:
            account.facts = facts[account.pk]

    def _facts(self, account: Any) -> AccountFacts:
        """The facts that were gathered for the whole page of the list, or else for one row."""
        found: AccountFacts | None = getattr(account, "facts", None)
        return found or facts_about(account)

    @admin.display(description=pgettext_lazy("column", "Limits"))
    def limits(self, account: Account) -> str:
        values = {"second": account.per_second, "minute": account.per_minute}
        return gettext("%(second)s/s · %(minute)s/min") % values

    @admin.display(description=_("Last call"), ordering="last_call_at")
    def last_call(self, account: Any) -> SafeString:
        return when(account.last_call_at)

    # --- one account -------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponseBase:
        """The form for staff who may change accounts, a read-only page for others."""
        if object_id is None:
            return account_pages.AddAccount.as_view(model_admin=self)(request)
        if self.has_change_permission(request):
            page: Any = account_pages.EditAccount
        elif request.method in ("GET", "HEAD"):
            page = account_pages.ShowAccount
        else:
            raise NeedsPermission("providers.change_account")
        answer: HttpResponseBase = page.as_view(model_admin=self)(request, public_id=object_id)
        return answer

    @fragment("providers.view_account")
    def checked(self, request: HttpRequest, public_id: str) -> HttpResponse:
        return account_pages.check_news(self, request, self.get_or_404(request, public_id))

    @fragment("providers.view_account")
    def callbacks(self, request: HttpRequest, public_id: str) -> HttpResponse:
        return callback_pages.health_line(request, self.get_or_404(request, public_id))
