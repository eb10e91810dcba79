"""What each permission allows, in words, by its full name."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType

from smsportal.rights.roles import ROLES, permission_label


def labels() -> dict[str, str]:
    """Every permission of a role, in the order in which the roles list them. Asks no database."""
    names = dict.fromkeys(name for role in ("manager", "auditor") for name in ROLES[role])
    return {name: _label(name) for name in names}


def _label(name: str) -> str:
    app, codename = name.split(".")
    kind = ContentType(app_label=app, model=codename.split("_")[-1])
    return permission_label(Permission(codename=codename, content_type=kind, name=codename))
