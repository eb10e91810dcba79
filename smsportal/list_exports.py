"""What the lists of staff, roles and daily limits export."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.list_export import Column, ListExport, fields, yes_or_no
from core.people import person_name
from providers.models import DailyLimit

from .roles import role_label, role_names

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


def limit_columns(reader: User) -> list[Column]:
    def whose(limit: DailyLimit) -> str:
        return (
            person_name(limit.user) if limit.user else role_label(getattr(limit.group, "name", ""))
        )

    return [Column(_("Applies to"), whose), *fields(DailyLimit, "what", "most")(reader)]


STAFF: Final = ListExport("staff", staff_columns)
ROLES: Final = ListExport("roles", role_columns)
LIMITS: Final = ListExport("daily-limits", limit_columns)
