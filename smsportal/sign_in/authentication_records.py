"""How and when the person of a session has shown who they are."""

from __future__ import annotations

import time
from typing import Any, Final

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest

from .factors import has_factor
from .settings import POST_SECONDS

FACTOR: Final = "mfa"
FACTOR_THERE: Final = "provider_factor"
"""The kind of a factor that the identity provider asked for."""
OVER_PROVIDER: Final = "socialaccount"
"""The library's word for a sign-in over the identity provider, which may have asked nothing."""
PROVIDER: Final = "provider"
"""The provider has asked the person, a moment ago."""
_PROOFS: Final = ("password", PROVIDER, FACTOR)


def records_of(request: HttpRequest, user: User) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get_authentication_records(request, user)
    return found


def methods_of(request: HttpRequest, user: User) -> list[str]:
    """Such as ["password", "totp"], for the log."""
    words = (str(each.get("type") or each["method"]) for each in records_of(request, user))
    return list(dict.fromkeys(PROVIDER if word == OVER_PROVIDER else word for word in words))


def came_over_provider(request: HttpRequest) -> bool:
    user = request.user
    if not isinstance(user, User):
        return False
    return any(each["method"] == OVER_PROVIDER for each in records_of(request, user))


def used_factor(request: HttpRequest, user: User) -> bool:
    """Whether a factor was used in this session. That the person has one says nothing about it."""
    return any(each["method"] == FACTOR for each in records_of(request, user))


def record_provider(request: HttpRequest, user: User, *, factor: bool, fresh: bool) -> None:
    """What the provider says of this sign-in: that it used a factor, and has just asked."""
    if factor:
        record_authentication(request, user, FACTOR, type=FACTOR_THERE)
    if fresh:
        record_authentication(request, user, PROVIDER)


def record_new_factor(request: HttpRequest, user: User, kind: str) -> None:
    """Setting up a factor is using it: the person has just typed its code or touched the key."""
    record_authentication(request, user, FACTOR, type=kind)


def is_confirmed(request: HttpRequest, seconds: float = POST_SECONDS) -> bool:
    """Whether this person has shown within `seconds` who they are: by a factor if they have one."""
    user = request.user
    if not settings.CONFIRM_MINUTES:
        return True
    if not isinstance(user, User):
        return False
    since = time.time() - seconds
    fresh = {
        each["method"]
        for each in records_of(request, user)
        if each["at"] > since and each.get("type") != FACTOR_THERE
    }
    if FACTOR in fresh:
        return True
    return not fresh.isdisjoint(_PROOFS) and not has_factor(user)
