"""What people have chosen for themselves."""

from __future__ import annotations

from django.contrib.auth.models import User

from smsportal.models import Preferences


def live_in(zone: str, user: User) -> User:
    """Let this person read in this time zone."""
    Preferences.objects.update_or_create(pk=user.pk, defaults={"time_zone": zone})
    return user
