"""What each permission allows, in words, by its full name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType

from smsportal.roles import ROLES, permission_label


def labels() -> dict[str, str]:
    """Every permission of a role, in the order in which the roles list them. Asks no database."""
    names = dict.fromkeys(name for role in ("manager", "auditor") for name in ROLES[role])
    return {name: _label(name) for name in names}


def outside(areas: Iterable[Any]) -> dict[str, str]:
    """Those of apps that no area of the staff form names."""
    named = {app for apps, _title in areas for app in apps}
    return {name: label for name, label in labels().items() if name.split(".")[0] not in named}


def _label(name: str) -> str:
    app, codename = name.split(".")
    kind = ContentType(app_label=app, model=codename.split("_")[-1])
    return permission_label(Permission(codename=codename, content_type=kind, name=codename))
