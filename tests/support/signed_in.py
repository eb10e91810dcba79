"""Create staff and signed-in clients."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.test import Client


def member(*roles: str, name: str = "", superuser: bool = False) -> User:
    """A staff member who holds these roles."""
    user = User.objects.create_user(
        name or "-".join(roles) or "nobody", password="right", is_staff=True, is_superuser=superuser
    )
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
