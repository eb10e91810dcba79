"""A member of staff in one line."""

from __future__ import annotations

from itertools import count
from typing import Any

from auditlog.context import disable_auditlog
from django.contrib.auth.models import Group, Permission, User

_serial = count(1)


def make_user(*permissions: str, **fields: Any) -> User:
    """A member of staff with just these permissions, as `messaging.send_message`."""
    values = {"username": f"staff{next(_serial)}", "password": "secret", "is_staff": True, **fields}
    with disable_auditlog():
        user = User.objects.create_user(**values)
        for permission in permissions:
            app, _, codename = permission.partition(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=codename)
            )
    return user


def make_staff(role: str) -> User:
    """A member of staff in one of the roles that every portal starts with."""
    user = make_user()
    with disable_auditlog():
        user.groups.add(Group.objects.get(name=role))
    return user
