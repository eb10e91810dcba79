"""Accounts with a password of the portal: who may use theirs, and the one for emergencies."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest

from core.acts import record_act

from ..rights.delegation import MODEL_BACKEND
from .owner_notices import EMERGENCY, tell_once_more

MANAGES = "auth.change_user"


def is_emergency(user: User) -> bool:
    name: str = settings.EMERGENCY_ACCOUNT
    return bool(name) and user.get_username() == name


def may_sign_in_locally(user: User) -> bool:
    """With a password or passkey of the portal."""
    return settings.LOCAL_SIGN_IN or is_emergency(user)


def may_change_password(user: object) -> bool:
    """Whether the person has a password of the portal that lets them in."""
    return isinstance(user, User) and user.has_usable_password() and may_sign_in_locally(user)


def raise_alarm(request: HttpRequest, user: User) -> None:
    """The account for emergencies was used: record it, and tell everybody who manages staff."""
    record_act("sign_in.emergency", by=user, subject=f"user:{user.pk}")
    managers = User.objects.with_perm(MANAGES, backend=MODEL_BACKEND)
    for manager in managers.filter(is_active=True, is_staff=True):
        tell_once_more(manager, EMERGENCY, name=user.get_username())
