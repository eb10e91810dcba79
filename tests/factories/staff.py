"""Factory of staff.

The audit log leaves out staff that a test merely needs."""

from __future__ import annotations

from itertools import count
from typing import Any

from auditlog.context import disable_auditlog
from django.contrib.auth.models import Group, Permission, User

_serial = count(1)


def make_user(*permissions: str, **fields: Any) -> User:
    """Make a member of staff with only these permissions, such as `messaging.send_message`."""
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
    """Make a member of staff with one of the default roles."""
    user = make_user()
    with disable_auditlog():
        user.groups.add(Group.objects.get(name=role))
    return user
