"""Actions on the callback addresses of an account: create, revoke, test."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from core.admin.actions import log_change
from core.stored_texts import declare
from core.times import full_time

from .. import accounts
from ..callbacks import self_test
from ..callbacks.health import Health, health_of
from ..models import Account, CallbackToken
from .account_pages import AccountPage

CREATED: Final = declare("account.address_created", _("Callback address created"))
REVOKED: Final = declare("account.address_revoked", _("Callback address revoked"))


class NewAddress(AccountPage, View):
    permission_required = "providers.rotate_callback_address"
    http_method_names = ["post"]

    @transaction.atomic
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        accounts.new_callback_token(self.account)
        log_change(request, [self.account], CREATED.store())
        messages.success(
            request,
            _(
                "New callback address created. The old one keeps working until you"
                " revoke it (after 7 days at the earliest): reports for earlier"
                " messages may still arrive there."
            ),
        )
        return self.back()


class RevokeAddress(AccountPage, View):
    permission_required = "providers.rotate_callback_address"
    http_method_names = ["post"]

    @transaction.atomic
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        token_id = request.POST.get("token", "")
        tokens = CallbackToken.objects.filter(account=self.account)
        token = tokens.filter(pk=int(token_id)).first() if token_id.isdecimal() else None
        if token is None:
            raise Http404
        allowed_from = accounts.revocable_from(token)
        if accounts.revoke_callback_token(token):
            log_change(request, [self.account], REVOKED.store())
            messages.success(request, _("Revoked. Further requests to it are rejected."))
        elif allowed_from is None:
            messages.warning(request, _("This address is in use. Create a new one first."))
        else:
            text = _("No change: this address can be revoked from %(time)s.")
            messages.warning(request, text % {"time": full_time(allowed_from)})
        return self.back()


class TestAddress(AccountPage, View):
    """Queue a test of the address. The answer is the account's health line, which then polls."""

    permission_required = "providers.check_account"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self_test.request_test(self.account)
        if "HX-Request" in request.headers:
            return health_line(request, self.account)
        return self.back()


def health_line(request: HttpRequest, account: Account) -> HttpResponse:
    """Render the account's callback health in one line, which polls while a test runs."""
    health: Health | None = next(iter(health_of([account])), None)
    if health is None:
        raise Http404
    return render(request, "providers/callback_health_line.html", {"health": health})
