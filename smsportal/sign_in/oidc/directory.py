"""What the identity provider says about itself: its addresses and its keys.

Both are kept for ten minutes, so that most sign-ins make one call. A failure is kept for some
seconds: while the provider is down, each try would otherwise hold a thread until its time is up.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import requests
from django.conf import settings
from django.core.cache import cache

from .configuration import IdentityProvider
from .http_session import ProviderSession, is_of_provider

KEPT_SECONDS: Final = 600
DOWN_SECONDS: Final = 10
NEW_KEYS_SECONDS: Final = 30
"""An unknown key id makes the portal ask for the keys again, but no more often than this."""


class ProviderDown(Exception):
    """The provider does not answer, or not with what the standard demands."""


@dataclass(frozen=True, slots=True)
class Directory:
    issuer: str
    """As its tokens name it."""
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_auth_methods: tuple[str, ...] = ()


def provider_in_use() -> IdentityProvider | None:
    """None if sign-in over a provider is switched off."""
    found: IdentityProvider | None = settings.IDENTITY_PROVIDER
    return found


def directory_of(provider: IdentityProvider) -> Directory:
    """Raises `ProviderDown`."""
    kept = cache.get(_key(provider, "directory"))
    if isinstance(kept, dict):
        return Directory(**{**kept, "token_auth_methods": tuple(kept["token_auth_methods"])})
    found = _directory(provider, fetch(provider, _address_of_directory(provider)))
    cache.set(_key(provider, "directory"), asdict(found), KEPT_SECONDS)
    return found


def keys_of(provider: IdentityProvider, *, again: bool = False) -> list[dict[str, Any]]:
    """Its public keys as JWK. `again`: also if they were fetched a moment ago.

    Raises `ProviderDown`.
    """
    kept = cache.get(_key(provider, "keys"))
    if isinstance(kept, list) and not (
        again and cache.add(_key(provider, "asked"), 1, NEW_KEYS_SECONDS)
    ):
        return kept
    found = fetch(provider, directory_of(provider).jwks_uri).get("keys")
    if not isinstance(found, list):
        raise ProviderDown("it lists no keys")
    keys = [key for key in found if isinstance(key, dict)]
    cache.set(_key(provider, "keys"), keys, KEPT_SECONDS)
    return keys


def fetch(provider: IdentityProvider, url: str, token: str = "") -> dict[str, Any]:
    """A JSON object of the provider. Raises `ProviderDown`."""
    if cache.get(_key(provider, "down")):
        raise ProviderDown("it did not answer a moment ago")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with ProviderSession(provider) as session:
            answer = session.get(url, headers=headers)
            answer.raise_for_status()
            found = answer.json()
    except requests.RequestException as error:
        if not isinstance(error, requests.HTTPError) or not token:
            cache.set(_key(provider, "down"), 1, DOWN_SECONDS)
        raise ProviderDown(type(error).__name__) from None
    if not isinstance(found, dict):
        raise ProviderDown("it answers with something else than an object")
    return found


def _address_of_directory(provider: IdentityProvider) -> str:
    return f"{provider.issuer}/.well-known/openid-configuration"


def _directory(provider: IdentityProvider, found: dict[str, Any]) -> Directory:
    issuer = found.get("issuer")
    if not isinstance(issuer, str) or issuer.rstrip("/") != provider.issuer:
        raise ProviderDown("its issuer is not the one of OIDC_ISSUER")
    needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    for name in needed:
        if not is_of_provider(found.get(name), provider):
            raise ProviderDown(f"its {name} is on a host that OIDC_HOSTS does not name")
    optional = {
        name: found[name] if is_of_provider(found.get(name), provider) else ""
        for name in ("userinfo_endpoint", "end_session_endpoint")
    }
    methods = found.get("token_endpoint_auth_methods_supported")
    return Directory(
        issuer=issuer,
        authorization_endpoint=str(found["authorization_endpoint"]),
        token_endpoint=str(found["token_endpoint"]),
        jwks_uri=str(found["jwks_uri"]),
        userinfo_endpoint=str(optional["userinfo_endpoint"]),
        end_session_endpoint=str(optional["end_session_endpoint"]),
        token_auth_methods=tuple(map(str, methods)) if isinstance(methods, list) else (),
    )


def _key(provider: IdentityProvider, what: str) -> str:
    return f"{provider.key}:{what}"
