"""The library's client of OpenID Connect, with the checks that it leaves out."""

from __future__ import annotations

import secrets
import time
from typing import Any, Final

from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.utils import build_absolute_uri
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from .configuration import IdentityProvider
from .directory import Directory, ProviderDown, directory_of, fetch
from .id_tokens import TokenRefused, read_id_token

LOGIN: Final = "login"
CONFIRM: Final = "confirm"
CONNECT: Final = "add"
"""Not the library's "connect", whose pages do not exist here."""
FROM_USERINFO: Final = (
    *("preferred_username", "given_name", "family_name", "name"),
    *("email", "email_verified"),
)
"""Claims that may come from the other address of the provider, if the token lacks them."""

# The library has no types.
LibraryProvider: Any = OpenIDConnectProvider
LibraryAdapter: Any = OpenIDConnectOAuth2Adapter
LibraryCallback: Any = OAuth2CallbackView


class AnswerRefused(OAuth2Error):
    """The provider's answer does not count. The library shows the page for it."""


def app_of(provider: IdentityProvider) -> SocialApp:
    """What the library keeps of a provider. It is never saved."""
    return SocialApp(
        provider=LibraryProvider.id,
        provider_id=provider.key,
        name=provider.name,
        client_id=provider.client_id,
        secret=provider.client_secret.reveal(),
        settings={"server_url": provider.issuer, "oauth_pkce_enabled": True},
    )


class Adapter(LibraryAdapter):
    """One exchange with the provider."""

    began_with: dict[str, Any]
    """What was kept when the person left for the provider. Set by `ReturnView`."""

    def __init__(self, request: HttpRequest, setup: IdentityProvider) -> None:
        super().__init__(request, setup.key)
        self.setup = setup

    @property
    def directory(self) -> Directory:
        return directory_of(self.setup)

    @property
    def openid_config(self) -> dict[str, Any]:
        found = self.directory
        return {
            "issuer": found.issuer,
            "authorization_endpoint": found.authorization_endpoint,
            "token_endpoint": found.token_endpoint,
            "token_endpoint_auth_methods_supported": list(found.token_auth_methods),
        }

    def get_provider(self) -> Any:
        return Provider(self.request, self.setup)

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        path = reverse("oidc_return")
        address: str = settings.PUBLIC_ADDRESS
        return f"{address}{path}" if address else str(build_absolute_uri(request, path))

    def get_access_token_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            data = super().get_access_token_data(*args, **kwargs)
        except (KeyError, TypeError, ValueError):
            raise AnswerRefused("malformed answer of the token address") from None
        if not isinstance(data, dict) or not isinstance(data.get("access_token"), str):
            raise AnswerRefused("no access token")
        return data

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        return SocialToken(token=data["access_token"])

    def complete_login(
        self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any
    ) -> Any:
        written = kwargs["response"].get("id_token")
        if not isinstance(written, str):
            raise AnswerRefused("no id token")
        nonce = str(self.began_with.get("nonce") or "")
        try:
            claims = read_id_token(written, self.setup, self.directory, nonce)
            claims = {**self._userinfo(claims, token.token), **claims}
        except (TokenRefused, ProviderDown) as error:
            raise AnswerRefused(str(error)) from error
        login = self.get_provider().sociallogin_from_response(request, {"id_token": claims})
        login.claims = claims
        return login

    def _userinfo(self, claims: dict[str, Any], token: str) -> dict[str, Any]:
        """What the token lacks. It must be about the same person."""
        address = self.directory.userinfo_endpoint
        wanted = {*FROM_USERINFO, self.setup.groups_claim}
        if not address or self.setup.groups_claim in claims:
            return {}
        found = fetch(self.setup, address, token)
        if found.get("sub") != claims["sub"]:
            raise TokenRefused("userinfo of somebody else")
        return {name: value for name, value in found.items() if name in wanted}


class Provider(LibraryProvider):
    def __init__(self, request: HttpRequest, setup: IdentityProvider) -> None:
        super().__init__(request, app=app_of(setup))
        self.setup = setup

    def get_oauth2_adapter(self, request: HttpRequest) -> Adapter:
        return Adapter(request, self.setup)

    def get_scope(self) -> list[str]:
        return list(dict.fromkeys(("openid", *self.setup.scopes)))

    def get_auth_params(self) -> dict[str, str]:
        values = sorted(self.setup.factor_values)
        return {"acr_values": " ".join(values)} if values else {}

    def extract_extra_data(self, data: Any) -> dict[str, Any]:
        """Nothing of what the provider says about a person is kept but the id."""
        return {}

    def extract_common_fields(self, data: Any) -> dict[str, Any]:
        return {}

    def extract_email_addresses(self, data: Any) -> list[Any]:
        """None, or the library would sign in whoever has the same one."""
        return []

    def leave(self, process: str, path: str) -> str:
        """The address at the provider at which this sign-in goes on.

        Raises `ProviderDown`. `process`: why the person goes there. `path`: where to go then.
        """
        directory_of(self.setup)
        nonce = secrets.token_urlsafe(32)
        params = {**self.get_auth_params(), "nonce": nonce}
        if process != LOGIN:
            params |= {"prompt": "login", "max_age": "0"}
        answer: HttpResponse = self.redirect(
            self.request, process, path, auth_params=params, nonce=nonce, began=time.time()
        )
        return answer.headers["Location"]


class ReturnView(LibraryCallback):
    """The person comes back from the provider."""

    def _get_state(self, request: HttpRequest, provider: Any) -> tuple[Any, Any]:
        state, answer = super()._get_state(request, provider)
        self.adapter.began_with = state or {}
        return state, answer
