"""The pages on which people see how they sign in, and from where they are signed in."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.views.generic import TemplateView

from core.acts import record_act
from core.admin.buttons import Crumb
from core.admin.pages import current_user

from .authentication_records import used_factor
from .browser_words import browser_of
from .confirmation import confirm_url_if_due, refuse_unconfirmed
from .factors import needs_factor
from .library_pages import SECURITY, OwnPage
from .local_paths import is_local_path
from .oidc.directory import provider_in_use
from .oidc.links import is_connected
from .sessions import end_session, end_sessions, sessions_of

MADE_AT_ONCE = 10
"""Recovery codes."""
NEXT = "after_factor"
"""In the session: where the person wanted to go before a factor was required."""


class SecurityPage(OwnPage, TemplateView):
    title = SECURITY
    template_name = "sign_in/security.html"

    def get_trail(self) -> list[Crumb]:
        return [Crumb(self.get_title())]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.GET.get("next", "")
        if is_local_path(asked):
            request.session[NEXT] = asked
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = current_user(self.request)
        kinds = Authenticator.Type
        provider = provider_in_use()
        rows = list(Authenticator.objects.filter(user=user).order_by("pk"))
        codes = next((row for row in rows if row.type == kinds.RECOVERY_CODES), None)
        return {
            **super().get_context_data(**kwargs),
            "app": next((row for row in rows if row.type == kinds.TOTP), None),
            "passkeys": [
                {"row": row, "name": row.wrap().name} for row in rows if row.type == kinds.WEBAUTHN
            ],
            "codes": codes,
            "codes_left": codes_left(codes) if codes else 0,
            "provider": provider.name if provider else "",
            "is_connected": is_connected(user),
            "is_required": needs_factor(user),
            "sessions": len(sessions_of(user)),
            "go_on": self.request.session.get(NEXT) if used_factor(self.request, user) else None,
        }


def codes_left(codes: Authenticator) -> int:
    """How many recovery codes are unused. Needs no key to read them."""
    return MADE_AT_ONCE - int(codes.data.get("used_mask", 0)).bit_count()


class SessionsPage(OwnPage, TemplateView):
    title = pgettext_lazy("title", "My sessions")
    template_name = "sign_in/my_sessions.html"
    http_method_names = ["get", "post"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        current = self.request.session.session_key
        rows = [
            {
                "row": row,
                "browser": browser_of(row.user_agent),
                "is_current": row.session_key == current,
            }
            for row in sessions_of(current_user(self.request))
        ]
        return {
            **super().get_context_data(**kwargs),
            "sessions": rows,
            "confirm_url": confirm_url_if_due(self.request),
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        """End one session, or all others, for those who have just confirmed who they are."""
        if refusal := refuse_unconfirmed(request):
            return refusal
        user = current_user(request)
        chosen = request.POST.get("session", "")
        with transaction.atomic():
            text = _end(user, chosen, keep=request.session.session_key)
            if text:
                record_act("sessions.end", by=user, subject=f"user:{user.pk}", which=chosen[:20])
        if text:
            messages.success(request, text)
        else:
            messages.info(request, gettext("No change: the session has already ended."))
        return HttpResponseRedirect(reverse("my_sessions"))


def _end(user: User, chosen: str, keep: str | None) -> str:
    """End one session or all others. What was done; "" if the session had ended already."""
    if chosen == "others":
        count = end_sessions(user, keep=keep)
        text = ngettext("%(n)s other session was ended.", "%(n)s other sessions were ended.", count)
        return text % {"n": count}
    is_one = chosen.isdecimal() and end_session(user, int(chosen))
    return gettext("The session was ended.") if is_one else ""
