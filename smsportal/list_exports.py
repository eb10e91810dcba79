"""What the lists of staff, roles and daily limits export, and those of the machinery below."""

from __future__ import annotations

import json
from typing import Final

from auditlog.models import LogEntry
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.models import User
from django.db.models import Model
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_q.models import Failure, OrmQ, Schedule, Success

from core.admin.list_export import Column, ListExport, fields, yes_or_no
from core.admin.timeline import person_name
from providers.models import DailyLimit

from .roles import role_label, role_names


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
        return str(limit.user) if limit.user else role_label(getattr(limit.group, "name", ""))

    return [Column(_("Applies to"), whose), *fields(DailyLimit, "what", "most")(reader)]


def audit_columns(reader: User) -> list[Column]:
    return [
        *fields(LogEntry, "timestamp", "object_repr", "action")(reader),
        Column(
            pgettext_lazy("column", "Changes"),
            lambda entry: json.dumps(entry.changes_dict, ensure_ascii=False),
        ),
        Column(
            pgettext_lazy("column", "Person"),
            lambda entry: person_name(entry.actor) if entry.actor else entry.actor_email or "",
        ),
        *fields(LogEntry, "remote_addr")(reader),
    ]


STAFF: Final = ListExport("staff", staff_columns)
ROLES: Final = ListExport("roles", role_columns)
LIMITS: Final = ListExport("daily-limits", limit_columns)

_TASK: Final = ("name", "func", "cluster", "started", "stopped")
_SIGN_IN: Final = ("attempt_time", "ip_address", "username", "user_agent", "path_info")
MACHINERY: Final[dict[type[Model], ListExport]] = {
    LogEntry: ListExport("audit-log", audit_columns),
    AccessAttempt: ListExport(
        "failed-sign-ins", fields(AccessAttempt, *_SIGN_IN, "failures_since_start")
    ),
    AccessLog: ListExport("sign-ins", fields(AccessLog, *_SIGN_IN, "logout_time")),
    AccessFailureLog: ListExport("refused-sign-ins", fields(AccessFailureLog, *_SIGN_IN)),
    OrmQ: ListExport("queue", fields(OrmQ, "id", "key", "lock")),
    Success: ListExport("tasks", fields(Success, *_TASK)),
    Failure: ListExport("failed-tasks", fields(Failure, *_TASK)),
    Schedule: ListExport("schedules", fields(Schedule, "name", "func", "minutes", "next_run")),
}
