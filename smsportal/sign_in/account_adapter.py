"""How the library signs people in here: our addresses, our words, and no way past the rules."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.acts import record_act
from core.client_address import UNKNOWN, client_address

from ..localization.languages import language_of, set_language_cookie
from ..rights.delegation import MODEL_BACKEND
from .authentication_records import is_confirmed, methods_of, record_provider
from .factors import has_factor, has_kind
from .form import INVALID_LOGIN
from .known_browsers import known_browser
from .local_accounts import is_emergency, may_sign_in_locally, raise_alarm
from .local_paths import is_local_path
from .oidc.links import is_connected
from .owner_notices import tell_of_new_browser

# The library has no types.
LibraryAdapter: Any = DefaultAccountAdapter
INCORRECT: Final = _("The code is not correct. Enter the code that the app shows now.")
LIBRARY_STAGE: Final = "allauth.mfa.stages.AuthenticateStage"
SWITCHED_OFF: Final = _(
    "Passwords and passkeys of the portal are switched off. Sign in over the identity provider."
)
TOO_MANY: Final = _("Too many wrong codes. Try again in five minutes.")


class AccountAdapter(LibraryAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "incorrect_code": INCORRECT,
        "incorrect_password": _("The password is not correct."),
        "too_many_login_attempts": TOO_MANY,
        "rate_limited": TOO_MANY,
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        return str(client_address(request) or UNKNOWN)

    def is_safe_url(self, url: str | None) -> bool:
        """Only paths of this portal. The library follows every host of ALLOWED_HOSTS."""
        return is_local_path(url)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Errors only. The pages themselves say what was done."""
        if message:
            messages.add_message(request, level, message, extra_tags=extra_tags)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """The same sentence as for a wrong password, so that nothing is learned of the account."""
        messages.error(request, str(INVALID_LOGIN))
        return HttpResponseRedirect(reverse("account_login"))

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Every way in passes here: password, passkey, identity provider."""
        if not getattr(request, "by_provider", False) and not may_sign_in_locally(user):
            messages.error(request, str(SWITCHED_OFF))
            return HttpResponseRedirect(reverse("account_login"))
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return answer

    def get_login_stages(self) -> list[str]:
        ours = {LIBRARY_STAGE: "smsportal.sign_in.second_step.SecondStepStage"}
        return [ours.get(stage, stage) for stage in super().get_login_stages()]

    def login(self, request: HttpRequest, user: User) -> None:
        if not user.is_active:
            # The account was closed while the second step was waited for.
            raise ImmediateHttpResponse(self.respond_user_inactive(request, user))
        known = known_browser(request)
        is_first = user.last_login is None
        is_new = known is None or not known.has_signed_in(user.get_username())
        # After a second step, the library does not know which backend checked the password.
        user.backend = MODEL_BACKEND
        with transaction.atomic():
            super().login(request, user)
            record_provider(
                request,
                user,
                factor=getattr(request, "provider_factor", False),
                fresh=getattr(request, "provider_is_fresh", False),
            )
            record_act("sign_in", by=user, how=methods_of(request, user))
            if is_emergency(user):
                raise_alarm(request, user)
            if is_new and not is_first:
                tell_of_new_browser(request, user)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().post_login(request, user, **kwargs)
        if language := language_of(user.pk):
            set_language_cookie(answer, language)
        return answer

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """A sign-in counts like a confirmation, and the rule is that of our own pages."""
        return not is_confirmed(context.request)

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """Whoever has a factor confirms with it: the password alone is what a thief may have."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if not isinstance(user, User):
            return methods
        if not has_factor(user):
            if is_connected(user) and (not methods or not may_sign_in_locally(user)):
                return [{"id": "provider", "url": reverse("confirm_by_provider")}]
            return methods
        methods = [method for method in methods if method["id"] != "reauthenticate"]
        has_app = has_kind(user, "totp")
        return sorted(methods, key=lambda method: has_app == method["id"].endswith(":webauthn"))
