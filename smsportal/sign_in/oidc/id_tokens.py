"""Reads the token that says who somebody is. Nothing in it counts before all of it was checked.

The library skips the signature of a token that it fetched itself, and has no nonce. Here both are
checked, so that a wrong answer at the token address, or the token of another sign-in, signs nobody
in.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import jwt
from django.utils.crypto import constant_time_compare

from .configuration import IdentityProvider
from .directory import Directory, keys_of

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""Public keys only: with HMAC or "none", anybody could make a token."""
LEEWAY_SECONDS: Final = 60
LONGEST_ID: Final = 190
OLDEST_SECONDS: Final = 600
"""How long ago a token may have been made."""


class TokenRefused(Exception):
    """Why the token does not count. For the log; it names no value of the token."""


def read_id_token(
    token: str, provider: IdentityProvider, directory: Directory, nonce: str
) -> dict[str, Any]:
    """The claims of a token that the provider made for this sign-in at this portal.

    Raises `TokenRefused`, and `ProviderDown` if the keys cannot be fetched.
    """
    try:
        algorithm, key = _key_of(token, provider)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=provider.client_id,
            issuer=directory.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["aud", "exp", "iat", "iss", "sub"]},
        )
    except jwt.PyJWTError as error:
        raise TokenRefused(type(error).__name__) from None
    except (TypeError, ValueError, KeyError, OverflowError):
        raise TokenRefused("malformed") from None
    _check(claims, provider, nonce)
    return claims


def _check(claims: Mapping[str, Any], provider: IdentityProvider, nonce: str) -> None:
    subject, audience = claims["sub"], claims["aud"]
    if not isinstance(subject, str) or not subject or len(subject) > LONGEST_ID:
        raise TokenRefused("subject")
    if not nonce or not constant_time_compare(str(claims.get("nonce") or ""), nonce):
        raise TokenRefused("nonce")
    party = claims.get("azp")
    if party is not None and party != provider.client_id:
        raise TokenRefused("authorised party")
    if isinstance(audience, list) and len(audience) > 1 and party is None:
        raise TokenRefused("several audiences")
    made_at = claims["iat"]
    if not isinstance(made_at, int | float) or made_at < time.time() - OLDEST_SECONDS:
        raise TokenRefused("age")


def _key_of(token: str, provider: IdentityProvider) -> tuple[str, Any]:
    header = jwt.get_unverified_header(token)
    algorithm, wanted = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise TokenRefused("algorithm")
    for again in (False, True):
        keys = [key for key in keys_of(provider, again=again) if _fits(key, wanted, algorithm)]
        if len(keys) == 1:
            return algorithm, jwt.PyJWK(keys[0], algorithm=algorithm).key
    raise TokenRefused("unknown key")


def _fits(key: Mapping[str, Any], wanted: str | None, algorithm: str) -> bool:
    if wanted is not None and key.get("kid") != wanted:
        return False
    kind = {"R": "RSA", "P": "RSA", "E": "EC"}[algorithm[0]]
    kind = "OKP" if algorithm == "EdDSA" else kind
    return (
        key.get("kty") == kind
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
    )


def is_fresh(claims: Mapping[str, Any], since: float) -> bool:
    """Whether the person proved to the provider who they are after `since`, in seconds."""
    at = claims.get("auth_time")
    return isinstance(at, int | float) and not isinstance(at, bool) and at >= since - LEEWAY_SECONDS


def used_factor_there(claims: Mapping[str, Any], provider: IdentityProvider) -> bool:
    """Whether the provider says that a second factor was used, in a way that counts here."""
    methods = claims.get("amr")
    said = [claims.get("acr"), *(methods if isinstance(methods, list) else [])]
    return not provider.factor_values.isdisjoint(one for one in said if isinstance(one, str))
