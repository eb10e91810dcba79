"""What the library asks about a person who comes from the provider."""

from __future__ import annotations

import logging
import secrets
import time
from typing import Any, Final

import requests
from allauth.account.internal.flows.login import record_authentication
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.base.constants import AuthError
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from core.acts import record_act

from ..authentication_records import PROVIDER
from ..local_paths import is_local_path
from ..owner_notices import CONNECTED, tell_once_more
from ..sessions import renew_key
from .admission import NotAdmitted, admit, connect
from .configuration import IdentityProvider
from .directory import ProviderDown, provider_in_use
from .http_session import ProviderSession
from .id_tokens import is_fresh, used_factor_there
from .library import CONFIRM, CONNECT, Provider
from .refusal_words import Refusal
from .refusals import refuse

logger = logging.getLogger(__name__)
FRESH_SECONDS: Final = 300
"""A sign-in at the provider that is no older counts as confirming who one is."""
# The library has no types.
LibraryAdapter: Any = DefaultSocialAccountAdapter


class SocialAdapter(LibraryAdapter):
    def get_provider(self, request: HttpRequest, provider: str, client_id: Any = None) -> Provider:
        """The one of the settings, under whatever name. The library's table of them stays empty."""
        return Provider(request, self._setup())

    def list_apps(self, request: HttpRequest, **_: Any) -> list[SocialApp]:
        return []

    def get_requests_session(self) -> ProviderSession:
        return ProviderSession(self._setup())

    def generate_state_param(self, state: dict[str, Any]) -> str:
        """Longer than the library's, which has fewer than 128 bits."""
        return secrets.token_urlsafe(32)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Whom we know stands in `pre_social_login`, so nobody comes so far."""
        return False

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Any = None,
        extra_context: Any = None,
    ) -> None:
        """The library's own pages do not exist here."""
        if error == AuthError.CANCELLED:
            raise refuse(request, Refusal.CANCELLED)
        # Not the text of other exceptions, which may hold what the provider sent.
        known = exception.args if type(exception).__module__.startswith("smsportal") else ()
        logger.warning("Identity provider: %s %s", type(exception).__name__, *known or ("",))
        if "state_id" in (extra_context or {}) and exception is None:
            raise refuse(request, Refusal.STALE)
        cause = getattr(exception, "__cause__", None)
        is_down = isinstance(cause, ProviderDown) or _is_silence(exception)
        raise refuse(request, Refusal.DOWN if is_down else Refusal.INVALID)

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Decide who it is. After this, the library signs in `sociallogin.user`."""
        process = sociallogin.state.get("process")
        if process == CONFIRM:
            raise self._confirm(request, sociallogin)
        if process == CONNECT:
            raise self._connect(request, sociallogin)
        setup = self._setup()
        try:
            person = admit(sociallogin.account, sociallogin.claims, setup)
        except NotAdmitted as error:
            self._record_refusal(request, error)
            raise refuse(request, error.why) from None
        sociallogin.user = sociallogin.account.user = person
        request.by_provider = True  # type: ignore[attr-defined]
        request.provider_factor = used_factor_there(  # type: ignore[attr-defined]
            sociallogin.claims, setup
        )
        request.provider_is_fresh = is_fresh(  # type: ignore[attr-defined]
            sociallogin.claims, time.time() - FRESH_SECONDS
        )

    def _confirm(self, request: HttpRequest, sociallogin: Any) -> ImmediateHttpResponse:
        """The person of this session has shown the provider again who they are."""
        user = request.user
        if not isinstance(user, User) or sociallogin.account.user_id != user.pk:
            return refuse(request, Refusal.OTHER_PERSON)
        if not is_fresh(sociallogin.claims, sociallogin.state["began"]):
            return refuse(request, Refusal.NOT_CONFIRMED)
        record_authentication(request, user, PROVIDER)
        renew_key(request)
        return ImmediateHttpResponse(HttpResponseRedirect(_path_of(sociallogin)))

    def _connect(self, request: HttpRequest, sociallogin: Any) -> ImmediateHttpResponse:
        """The person of this session may sign in over the provider from now on."""
        user, account = request.user, sociallogin.account
        if not isinstance(user, User) or (account.pk and account.user_id != user.pk):
            return refuse(request, Refusal.OTHER_PERSON)
        if user.is_superuser:
            return refuse(request, Refusal.ADMINISTRATOR)
        if not is_fresh(sociallogin.claims, sociallogin.state["began"]):
            return refuse(request, Refusal.NOT_CONFIRMED)
        with transaction.atomic():
            SocialAccount.objects.filter(user=user).exclude(pk=account.pk).delete()
            connect(account, user)
            record_act("sign_in.connect", by=user, subject=f"user:{user.pk}")
            tell_once_more(user, CONNECTED)
        return ImmediateHttpResponse(HttpResponseRedirect(reverse("my_provider")))

    def _record_refusal(self, request: HttpRequest, error: NotAdmitted) -> None:
        record_act(
            "sign_in.provider_refused",
            by=None,
            subject=f"user:{error.person.pk}" if error.person else "",
            why=str(error.why),
        )

    def _setup(self) -> IdentityProvider:
        setup = provider_in_use()
        assert setup is not None  # noqa: S101 - our addresses ask before the library does
        return setup


def _is_silence(exception: object) -> bool:
    silent = (requests.ConnectionError, requests.Timeout, requests.HTTPError)
    return isinstance(exception, silent)


def _path_of(sociallogin: Any) -> str:
    asked = sociallogin.get_redirect_url(None)
    return str(asked) if is_local_path(asked) else reverse("admin:index")
