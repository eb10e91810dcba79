"""Which account of the portal belongs to a person at the identity provider."""

from __future__ import annotations

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User

from .directory import provider_in_use


def link_of(user: User) -> SocialAccount | None:
    provider = provider_in_use()
    if provider is None:
        return None
    return SocialAccount.objects.filter(user=user, provider=provider.key).first()


def is_connected(user: User) -> bool:
    return link_of(user) is not None


def disconnect(user: User) -> bool:
    """Whether there was something to disconnect."""
    found = link_of(user)
    if found is not None:
        found.delete()
    return found is not None
