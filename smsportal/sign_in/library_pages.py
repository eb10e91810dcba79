"""The library's views with our templates, in our frame."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as app
from allauth.mfa.totp.forms import DeactivateTOTPForm
from allauth.mfa.webauthn import views as passkeys
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.buttons import Crumb
from core.admin.pages import Page, current_user

from ..errors import too_many_requests
from .events import record_factor
from .factor_adapter import passkey_host
from .factors import has_kind
from .local_paths import is_local_path
from .password_rules import forget_guesses, guesses_end, note_guess
from .sessions import renew_key

PASSKEY = str(Authenticator.Type.WEBAUTHN)
CHALLENGE_SECONDS = 600
SECURITY = pgettext_lazy("title", "Sign-in and security")
# The library has no types.
AuthenticateView: Any = factors.AuthenticateView
LoginWebAuthnView: Any = passkeys.LoginWebAuthnView
ReauthenticateView: Any = account.ReauthenticateView
CodeView: Any = factors.ReauthenticateView
PasskeyView: Any = passkeys.ReauthenticateWebAuthnView
ActivateTOTPView: Any = app.ActivateTOTPView
DeactivateTOTPView: Any = app.DeactivateTOTPView
AddWebAuthnView: Any = passkeys.AddWebAuthnView
RemoveWebAuthnView: Any = passkeys.RemoveWebAuthnView
ViewRecoveryCodesView: Any = codes.ViewRecoveryCodesView
GenerateRecoveryCodesView: Any = codes.GenerateRecoveryCodesView


class SecondStep(AuthenticateView):
    """After the password, before anybody is signed in."""

    template_name = "sign_in/second_step.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        own = {
            "title": _("Second step"),
            "has_passkey": has_kind(self.stage.login.user, "webauthn"),
            "passkey_host": passkey_host(),
        }
        return {
            **admin.site.each_context(self.request),
            **super().get_context_data(**kwargs),
            **own,
        }


class PasskeySignIn(LoginWebAuthnView):
    """Gives a challenge to the script of the sign-in page, and takes the answer."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().get(request, *args, **kwargs)
        # Anybody may ask, so what is kept of it must not stay for hours.
        request.session.set_expiry(CHALLENGE_SECONDS)
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        """Back to the sign-in page, with words about passkeys instead of codes."""
        text = _("The portal does not know this passkey. Use another passkey or another way.")
        messages.error(self.request, text)
        return HttpResponseRedirect(reverse("account_login"))


class OwnPage(Page):
    """A page about one's own sign-in, for every person, also before a required factor is used."""

    def get_trail(self) -> list[Crumb]:
        return [Crumb(SECURITY, reverse("mfa_index")), Crumb(self.get_title())]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        due = getattr(self.request, "factor_is_due", False)
        frame = "portal/outside.html" if due else "admin/base_site.html"
        return {
            **super().get_context_data(**kwargs),
            "frame": frame,
            "factor_is_due": due,
            "passkey_host": passkey_host(),
        }


class ConfirmPage(OwnPage):
    """One of three ways to confirm who one is: password, code, passkey."""

    title = pgettext_lazy("title", "Confirm who you are")
    template_name = "sign_in/confirm.html"
    way = ""

    def get_trail(self) -> list[Crumb]:
        return [Crumb(self.get_title())]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.POST.get("next") or self.request.GET.get("next", "")
        target = asked if is_local_path(asked) else reverse("admin:index")
        return {**super().get_context_data(**kwargs), "way": self.way, "next": target}

    def form_valid(self, form: Any) -> HttpResponse:
        """As after a sign-in, a key that somebody may have copied before is worth nothing."""
        answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        renew_key(self.request)
        return answer


class ConfirmByPassword(ConfirmPage, ReauthenticateView):
    """With the same limit of guesses as the page that changes the password."""

    way = "password"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if until := guesses_end(current_user(request)):
            return too_many_requests(request, until)
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        forget_guesses(current_user(self.request))
        return super().form_valid(form)

    def form_invalid(self, form: Any) -> HttpResponse:
        note_guess(current_user(self.request))
        answer: HttpResponse = super().form_invalid(form)
        return answer


class ConfirmByCode(ConfirmPage, CodeView):
    way = "code"


class ConfirmByPasskey(ConfirmPage, PasskeyView):
    way = "passkey"

    def form_invalid(self, form: Any) -> HttpResponse:
        """The same page again with its error, not the sign-in page."""
        return self.render_to_response(self.get_context_data(form=form, refused=True))  # type: ignore[no-any-return]


class FactorPage(OwnPage):
    """Adds or removes a factor, and records it in the same transaction."""

    verb = ""
    kind = str(Authenticator.Type.TOTP)

    def name_of_factor(self, form: Any) -> str:
        return ""

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]
            record_factor(self.request, self.verb, self.kind, self.name_of_factor(form))
        return answer


class AddApp(FactorPage, ActivateTOTPView):
    verb = "add"
    title = _("Set up an authenticator app")
    template_name = "sign_in/app_add.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        secret = context["form"].secret
        groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
        return {**context, "secret": " ".join(groups)}


class RemoveApp(FactorPage, DeactivateTOTPView):
    verb = "remove"
    title = _("Remove the authenticator app")
    template_name = "sign_in/remove.html"


class AddPasskey(FactorPage, AddWebAuthnView):
    verb, kind = "add", PASSKEY
    title = _("Add a passkey")
    template_name = "sign_in/passkey_add.html"

    def name_of_factor(self, form: Any) -> str:
        return str(form.cleaned_data["name"])


class RemovePasskey(FactorPage, RemoveWebAuthnView):
    verb, kind = "remove", PASSKEY
    title = _("Remove the passkey")
    template_name = "sign_in/remove.html"
    success_url = reverse_lazy("mfa_index")

    def name_of_factor(self, form: Any) -> str:
        return str(self.object.wrap().name)

    def get_form_kwargs(self) -> dict[str, Any]:
        """A form that is filled in with nothing says at once if the passkey must stay."""
        return {**super().get_form_kwargs(), "authenticator": self.object, "data": {}}

    def get_form_class(self) -> Any:
        return DeactivateTOTPForm


class RecoveryCodes(OwnPage, ViewRecoveryCodesView):
    title = pgettext_lazy("title", "Recovery codes")
    template_name = "sign_in/recovery_codes.html"


class NewRecoveryCodes(FactorPage, GenerateRecoveryCodesView):
    verb, kind = "renew", str(Authenticator.Type.RECOVERY_CODES)
    title = _("Create new recovery codes")
    template_name = "sign_in/recovery_codes_new.html"


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The library's answer to more tries than its rates allow."""
    return too_many_requests(request, timezone.now() + timedelta(minutes=1))
