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
_PROOFS: Final = ("password", FACTOR)


def records_of(request: HttpRequest, user: User) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get_authentication_records(request, user)
    return found


def methods_of(request: HttpRequest, user: User) -> list[str]:
    """Such as ["password", "totp"], for the log."""
    return [str(each.get("type") or each["method"]) for each in records_of(request, user)]


def used_factor(request: HttpRequest, user: User) -> bool:
    """Whether a factor was used in this session. That the person has one says nothing about it."""
    return any(each["method"] == FACTOR for each in records_of(request, user))


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
    fresh = {each["method"] for each in records_of(request, user) if each["at"] > since}
    if FACTOR in fresh:
        return True
    return not fresh.isdisjoint(_PROOFS) and not has_factor(user)
