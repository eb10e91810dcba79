"""What the settings say about the identity provider. Independent of Django."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from core.secrets import Secret

REQUIRED: Final = ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_ROLES")
"""Without all of these, nobody can sign in over the provider."""


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    issuer: str
    """Without a slash at the end."""
    client_id: str
    client_secret: Secret
    roles: Mapping[str, str]
    """The role of each group of the provider."""
    name: str = "OpenID Connect"
    hosts: frozenset[str] = frozenset()
    """Other hosts of the provider, beside that of the issuer."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    groups_claim: str = "groups"
    creates_people: bool = False
    links_by_email: bool = False
    factor_values: frozenset[str] = frozenset()
    """Values of `acr` or `amr` that show that a second factor was used."""

    @property
    def key(self) -> str:
        """Under which its people are kept: another issuer has other people with the same ids."""
        return f"oidc-{hashlib.sha256(self.issuer.encode()).hexdigest()[:24]}"

    @property
    def allowed_hosts(self) -> frozenset[str]:
        return self.hosts | {str(urlsplit(self.issuer).hostname)}

    @property
    def scheme(self) -> str:
        """http for a provider on this host only."""
        return urlsplit(self.issuer).scheme


def read(env: Any) -> tuple[IdentityProvider | None, list[str]]:
    """The provider, if all its settings are there, and the names of those that are missing.

    `env`: `smsportal.configuration.environment.Environment`.
    """
    issuer = env.str("OIDC_ISSUER")
    client_id = env.str("OIDC_CLIENT_ID")
    secret = env.str("OIDC_CLIENT_SECRET")
    roles = env.list("OIDC_ROLES", default={})
    values = (issuer, client_id, secret, roles)
    missing = [name for name, value in zip(REQUIRED, values, strict=True) if not value]
    optional = {
        "name": env.str("OIDC_NAME") or "OpenID Connect",
        "hosts": frozenset(env.list("OIDC_HOSTS", default=[])),
        "scopes": tuple(env.list("OIDC_SCOPES", default=["openid", "profile", "email"])),
        "groups_claim": env.str("OIDC_GROUPS_CLAIM", default="groups"),
        "creates_people": env.bool("OIDC_CREATE_PEOPLE", default=False),
        "links_by_email": env.bool("OIDC_LINK_BY_EMAIL", default=False),
        "factor_values": frozenset(env.list("OIDC_FACTOR_VALUES", default=[])),
    }
    if missing:
        return None, missing if len(missing) < len(REQUIRED) else []
    return IdentityProvider(issuer, client_id, Secret(secret), roles, **optional), []
