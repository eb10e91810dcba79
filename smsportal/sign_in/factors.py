"""The second factors of a person, and for whom one is required."""

from __future__ import annotations

from typing import Final

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from .local_accounts import is_emergency

FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""Recovery codes replace a factor. They are none."""
SUPERUSER: Final = "superuser"
"""Stands for the administrators in SECOND_FACTOR_ROLES."""


def has_factor(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def has_kind(user: User, kind: str) -> bool:
    return bool(Authenticator.objects.filter(user=user, type=kind).exists())


def factors_of(user: User) -> list[Authenticator]:
    return list(Authenticator.objects.filter(user=user, type__in=FACTORS).order_by("pk"))


def needs_factor(user: User) -> bool:
    """Whether a role of this person, or being an administrator, requires a second factor."""
    roles: list[str] = settings.SECOND_FACTOR_ROLES
    if is_emergency(user) or (user.is_superuser and SUPERUSER in roles):
        return True
    return user.groups.filter(Q(name__in=roles) | Q(factor_rule__isnull=False)).exists()
