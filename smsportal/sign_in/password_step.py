"""The first step: name and password. What follows is the library's: a second factor, then in."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.conf import settings
from django.contrib.auth.views import LoginView
from django.http import HttpResponse
from django.shortcuts import resolve_url

from .factor_adapter import passkey_host
from .form import SignInForm
from .local_paths import is_local_path
from .oidc.directory import provider_in_use

# Django's views have no usable types here.
LibraryView: Any = LoginView


class PasswordStep(LibraryView):
    authentication_form = SignInForm
    template_name = "registration/sign_in.html"

    def get_redirect_url(self) -> str:
        """Where to go after signing in: a path of this portal."""
        asked = self.request.POST.get("next", self.request.GET.get("next", ""))
        return asked if is_local_path(asked) else ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        idle = self.request.GET.get("idle", "")
        context: dict[str, Any] = super().get_context_data(**kwargs)
        told = int(idle) if idle == str(settings.IDLE_MINUTES) else 0
        provider = provider_in_use()
        own = {"provider": provider.name if provider else "", "local": settings.LOCAL_SIGN_IN}
        return {**context, **own, "idle": told, "passkey_host": passkey_host()}

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        path = self.get_redirect_url() or resolve_url(settings.LOGIN_REDIRECT_URL)
        login = Login(user=user, redirect_url=path)
        answer: HttpResponse = perform_password_login(
            self.request, {"username": user.get_username()}, login
        )
        return answer
