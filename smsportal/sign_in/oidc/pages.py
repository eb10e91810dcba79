"""The pages around a sign-in over the identity provider: leave for it, come back, connect."""

from __future__ import annotations

import logging
from typing import Any, Final

from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import pgettext_lazy
from django.views.generic import TemplateView

from core.acts import record_act
from core.admin.pages import current_user

from ..library_pages import CHALLENGE_SECONDS, ConfirmPage, OwnPage
from ..local_accounts import may_sign_in_locally
from ..local_paths import is_local_path
from ..owner_notices import DISCONNECTED, tell_once_more
from .configuration import IdentityProvider
from .directory import ProviderDown, directory_of, provider_in_use
from .library import CONFIRM, CONNECT, LOGIN, Adapter, Provider, ReturnView
from .links import disconnect, is_connected, link_of
from .refusal_words import Refusal
from .refusals import refused

logger = logging.getLogger(__name__)
ISSUER: Final = "iss"


def _setup() -> IdentityProvider:
    """404 while sign-in over a provider is switched off."""
    found = provider_in_use()
    if found is None:
        raise Http404
    return found


def _leave(request: HttpRequest, process: str, path: str) -> HttpResponse:
    """A page that leads on to the provider.

    It is no redirect: browsers let a form of ours lead to our own addresses only.
    """
    setup = _setup()
    try:
        address = Provider(request, setup).leave(process, path)
    except ProviderDown as error:
        logger.warning("The identity provider cannot be used: %s.", error)
        return refused(request, Refusal.DOWN)
    if process == LOGIN:
        # Anybody may ask, so what is kept of it must not stay for hours.
        request.session.set_expiry(CHALLENGE_SECONDS)
    context = {
        **admin.site.each_context(request),
        "address": address,
        "provider": setup.name,
    }
    answer = render(request, "sign_in/provider_leave.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def start(request: HttpRequest) -> HttpResponse:
    """The button of the sign-in page."""
    _setup()
    if request.method != "POST" or request.user.is_authenticated:
        return HttpResponseRedirect(reverse("admin:index"))
    asked = request.POST.get("next", "")
    return _leave(request, LOGIN, asked if is_local_path(asked) else reverse("admin:index"))


def come_back(request: HttpRequest) -> HttpResponse:
    setup = _setup()
    if request.method != "GET":
        raise Http404
    try:
        said = request.GET.get(ISSUER)
        if said is not None and said != directory_of(setup).issuer:
            logger.warning("Identity provider: the answer comes from another issuer")
            return refused(request, Refusal.INVALID)
        view = ReturnView.adapter_view(Adapter(request, setup))
        answer: HttpResponse = view(request)
    except ProviderDown as error:
        logger.warning("The identity provider cannot be used: %s.", error)
        return refused(request, Refusal.DOWN)
    return answer


def signed_out(request: HttpRequest) -> HttpResponse:
    """After signing out here: the provider may still know the browser."""
    setup = _setup()
    try:
        address = directory_of(setup).end_session_endpoint
    except ProviderDown:
        address = ""
    if address:
        own = f"{settings.PUBLIC_ADDRESS}{reverse('admin:login')}"
        own = own if settings.PUBLIC_ADDRESS else request.build_absolute_uri(own)
        params = {"client_id": setup.client_id, "post_logout_redirect_uri": own}
        address = f"{address}{'&' if '?' in address else '?'}{urlencode(params)}"
    context = {
        **admin.site.each_context(request),
        "provider": setup.name,
        "address": address,
    }
    return render(request, "sign_in/provider_signed_out.html", context)


class ConfirmByProvider(ConfirmPage, TemplateView):  # type: ignore[misc]  # both name a template
    way = "provider"
    http_method_names = ["get", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.provider = _setup()
        if not is_connected(current_user(request)):
            raise Http404
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "provider": self.provider.name}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.POST.get("next", "")
        path = asked if is_local_path(asked) else reverse("admin:index")
        return _leave(request, CONFIRM, path)


class MyProvider(OwnPage, TemplateView):
    """Connect one's own account with the provider, or disconnect it."""

    title = pgettext_lazy("title", "Identity provider")
    template_name = "sign_in/my_provider.html"
    http_method_names = ["get", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.provider = _setup()
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = current_user(self.request)
        return {
            **super().get_context_data(**kwargs),
            "provider": self.provider.name,
            "link": link_of(user),
            "can_disconnect": user.has_usable_password() and may_sign_in_locally(user),
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = current_user(request)
        if "disconnect" not in request.POST:
            if user.is_superuser:
                return refused(request, Refusal.ADMINISTRATOR)
            return _leave(request, CONNECT, reverse("my_provider"))
        if user.has_usable_password() and may_sign_in_locally(user):
            with transaction.atomic():
                if disconnect(user):
                    record_act("sign_in.disconnect", by=user, subject=f"user:{user.pk}")
                    tell_once_more(user, DISCONNECTED)
        return HttpResponseRedirect(reverse("my_provider"))
