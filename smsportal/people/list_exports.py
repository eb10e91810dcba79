"""What the lists of staff and roles export."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.list_export import Column, ListExport, yes_or_no

from ..rights.roles import role_label, role_names

TIME: Final = pgettext_lazy("column", "Time")


def staff_columns(_reader: User) -> list[Column]:
    return [
        Column(pgettext_lazy("field", "Username"), lambda one: one.username),
        Column(pgettext_lazy("person", "Name"), lambda one: one.get_full_name()),
        Column(pgettext_lazy("column", "Roles"), role_names),
        Column(pgettext_lazy("column", "Active"), lambda one: yes_or_no(one.is_active)),
        Column(_("Last sign-in"), lambda one: one.last_login),
    ]


def role_columns(_reader: User) -> list[Column]:
    return [
        Column(pgettext_lazy("column", "Role"), lambda one: role_label(one.name)),
        Column(pgettext_lazy("column", "Staff"), lambda one: one.user_set.count()),
    ]


STAFF: Final = ListExport("staff", staff_columns)
ROLES: Final = ListExport("roles", role_columns)
