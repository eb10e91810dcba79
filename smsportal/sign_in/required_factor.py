"""Lets people whose role requires a second factor do nothing before they have used it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from .authentication_records import used_factor
from .confirmation import confirm_url
from .factors import has_factor, needs_factor

OPEN: Final = frozenset(
    {
        "account_login",
        "account_reauthenticate",
        "admin:jsi18n",
        "admin:login",
        "admin:logout",
        "confirm_by_provider",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_index",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "mfa_view_recovery_codes",
        "oidc_return",
        "set_language",
    }
)
"""Exact names with their namespace. By a prefix, an admin page of the library's rows would pass."""


def factor_is_due(request: HttpRequest) -> bool:
    """Whether the person must use a factor before anything else."""
    user = request.user
    if not isinstance(user, User) or used_factor(request, user):
        return False
    return needs_factor(user)


class RequiredFactorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        due = factor_is_due(request)
        request.factor_is_due = due  # type: ignore[attr-defined]
        match = request.resolver_match
        if not due or (match is not None and match.view_name in OPEN):
            return None
        if getattr(view, "is_fragment", False):
            # A script would put the page of the second factor into the middle of this one.
            return render(request, "portal/signed_out_note.html", status=401)
        user = request.user
        if isinstance(user, User) and has_factor(user):
            return HttpResponseRedirect(confirm_url(request))
        query = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
        return HttpResponseRedirect(f"{reverse('mfa_index')}?{query}".rstrip("?"))
