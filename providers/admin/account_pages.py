"""The pages and actions of one account."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import ADDITION
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView, View
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin.actions import log_change
from core.admin.base import PortalAdmin
from core.admin.buttons import Crumb, Text
from core.admin.history import ADDED, CHANGED
from core.admin.pages import Page, current_user
from core.stored_texts import declare, names, register_labels

from .. import account_checks, accounts, clock
from ..callbacks.health import health_of
from ..gateway.client import Client
from ..gateway.registry import client_for, clients
from ..models import Account, Enquiry
from .account_forms import AccountForm
from .account_summary import panel_context, secret_facts
from .callback_addresses import addresses_of
from .form_changes import changed_names

PAUSED: Final = declare("account.paused", pgettext_lazy("log", "Paused"))
RESUMED: Final = declare("account.resumed", pgettext_lazy("log", "Resumed"))


class AccountPage(Page):
    """A page with `account` set if its URL names one."""

    request: HttpRequest
    model_admin: PortalAdmin
    account: Account

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.public_id = kwargs.get("public_id")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if self.public_id and self.has_permission():
            self.account = self.model_admin.get_or_404(request, self.public_id)
        return super().dispatch(request, *args, **kwargs)

    def get_title(self) -> Text:
        return self.account.name if self.public_id else super().get_title()

    def back(self) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.model_admin.object_url(self.account))


class AddAccount(AccountPage, TemplateView):
    """The choice of a provider, then its form at `?provider=`."""

    permission_required = "providers.add_account"
    title = _("Add account")

    def get_template_names(self) -> list[str]:
        chosen = client_for(self.request.GET.get("provider", ""))
        return ["providers/account_form.html" if chosen else "providers/choose_provider.html"]

    def get_trail(self) -> list[Crumb]:
        client = client_for(self.request.GET.get("provider", ""))
        trail = super().get_trail()
        return [*trail[:-1], Crumb(trail[-1].title, "?"), Crumb(client.name)] if client else trail

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        client = client_for(self.request.GET.get("provider", ""))
        if client is None:
            context["choices"] = [
                {"key": each.key, "name": each.name, "job": gettext(each.summary)}
                for each in clients().values()
            ]
            return context
        context.setdefault("form", AccountForm(client=client))
        return {**context, **form_context(context["form"]), "client": client}

    @transaction.atomic
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        client = client_for(request.GET.get("provider", ""))
        if client is None:
            return HttpResponseRedirect(request.path)
        form = AccountForm(request.POST, client=client)
        account = form.save() if form.is_valid() else None
        if account is None:
            return self.render_to_response(self.get_context_data(form=form))
        self.account = account
        log_change(request, [account], ADDED.store(), ADDITION)
        return respond_saved(self, form)


class EditAccount(AccountPage, TemplateView):
    permission_required = "providers.change_account"
    template_name = "providers/account_form.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = {**super().get_context_data(**kwargs), **page_context(self)}
        if self.account.client is not None:
            context.setdefault("form", self.form())
            context |= form_context(context["form"])
        return {**context, "client": self.account.client}

    def form(self, data: Any = None) -> AccountForm:
        client = self.account.client
        if client is None:
            raise accounts.NoClient(self.account.provider)
        # A form changes its instance, while the rest of the page must show the stored values.
        stored = Account.objects.get(pk=self.account.pk)
        return AccountForm(data, instance=stored, client=client)

    @transaction.atomic
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.account.client is None:
            return self.back()
        form = self.form(request.POST)
        if not form.is_valid() or form.save() is None:
            return self.render_to_response(self.get_context_data(form=form))
        changed = names(f"account_form.{form.client.key}", changed_names(form))
        log_change(request, [self.account], CHANGED.store(fields=changed))
        return respond_saved(self, form)


class ShowAccount(AccountPage, TemplateView):
    """The read-only page, for staff who may not change accounts."""

    permission_required = "providers.view_account"
    template_name = "providers/account.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **page_context(self)}


def respond_saved(page: AccountPage, form: AccountForm) -> HttpResponse:
    """Show the result and the form's warnings, and request a check if the user may."""
    messages.success(page.request, pgettext_lazy("notice", "Saved."))
    for warning in form.warnings:
        messages.warning(page.request, warning)
    if page.request.user.has_perm("providers.check_account"):
        # Saving the form must not end a pause by hand, as a successful check would.
        by_hand = page.account.pause_reason == accounts.BY_HAND
        kind = Enquiry.Kind.BALANCE if by_hand else Enquiry.Kind.CHECK
        account_checks.request_check(page.account, kind, current_user(page.request))
    return page.back()


def _label_in_form(client: type[Client], name: str) -> str:
    field = AccountForm(client=client).fields.get(name)
    return str(field.label) if field else name


for _client in clients().values():
    register_labels(f"account_form.{_client.key}", partial(_label_in_form, _client))


def form_context(form: AccountForm) -> dict[str, Any]:
    return {
        "sections": list(form.sections()),
        "outgoing_addresses": settings.OUTGOING_ADDRESSES,
        "support": form.client.support,
    }


def account_permissions(request: HttpRequest) -> dict[str, bool]:
    names = (
        "check_account",
        "resume_account",
        "change_account",
        "view_callback_address",
        "rotate_callback_address",
        "view_callback",
        "view_apicall",
    )
    return {name: request.user.has_perm(f"providers.{name}") for name in names}


def page_context(page: AccountPage) -> dict[str, Any]:
    """The context of an account's page, limited to what this user may see."""
    account = page.account
    may = account_permissions(page.request)
    facts = {**panel_context(account), "account": account, "may": may}
    if may["change_account"]:
        facts["secrets"] = secret_facts(account)
    if facts["takes_callbacks"]:
        facts["healths"] = health_of([account])
    if may["view_callback_address"] and facts["takes_callbacks"]:
        facts["addresses"] = addresses_of(account, clock.now())
        facts["has_public_address"] = bool(settings.PUBLIC_ADDRESS)
    return facts


# --- actions -----------------------------------------------------------------


class CheckAccount(AccountPage, View):
    """Request a check from the engine: no web process calls a provider."""

    permission_required = "providers.check_account"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # A successful check ends a pause; reading the balance does not.
        may_end = (
            self.account.pause_reason != accounts.BY_HAND
            or account_permissions(request)["resume_account"]
        )
        check = may_end and "balance" not in request.POST
        kind = Enquiry.Kind.CHECK if check else Enquiry.Kind.BALANCE
        account_checks.request_check(self.account, kind, current_user(request))
        if "HX-Request" in request.headers:
            return check_news(self.model_admin, request, self.account)
        return self.back()


def check_news(model_admin: PortalAdmin, request: HttpRequest, account: Account) -> HttpResponse:
    """Render the newest check. Once it has ended, the rest of the panel is rendered too."""
    panel = panel_context(account)
    may = account_permissions(request)
    context = {**panel, "account": account, "model_admin": model_admin, "may": may}
    news = panel["news"]
    context["with_panel"] = news is not None and news.poll_every is None
    return render(request, "providers/check_news.html", context)


class PauseForm(forms.Form):
    reason = forms.CharField(
        label=pgettext_lazy("field", "Reason"),
        max_length=200,
        help_text=_("Visible to everyone who can open this account."),
        widget=UnfoldAdminTextInputWidget({"autofocus": True, "autocomplete": "off"}),
    )


class PauseAccount(AccountPage, TemplateView):
    permission_required = "providers.resume_account"
    template_name = "providers/pause.html"

    def get_trail(self) -> list[Crumb]:
        trail = super().get_trail()
        own = Crumb(self.account.name, self.model_admin.object_url(self.account))
        return [*trail[:-1], own, Crumb(pgettext_lazy("title", "Pause"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context.setdefault("form", PauseForm(label_suffix=""))
        return {**context, "account": self.account}

    @transaction.atomic
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = PauseForm(request.POST, label_suffix="")
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        if accounts.pause(
            self.account, accounts.BY_HAND, form.cleaned_data["reason"], current_user(request)
        ):
            log_change(request, [self.account], PAUSED.store(reason=form.cleaned_data["reason"]))
            messages.success(request, _("Paused. Queued items will wait; nothing is lost."))
        else:
            messages.warning(request, _("This account is already paused."))
        return self.back()


class ResumeAccount(AccountPage, View):
    permission_required = "providers.resume_account"
    http_method_names = ["post"]

    @transaction.atomic
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if accounts.resume(self.account, current_user(request)):
            log_change(request, [self.account], RESUMED.store())
            messages.success(request, _("Resumed. Waiting items are being sent."))
        else:
            messages.warning(request, _("This account is no longer paused."))
        return self.back()
