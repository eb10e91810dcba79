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

from core.admin.labels import label_for
from core.admin.list_export import Column, Columns, ListExport, fields, yes_or_no
from core.people import person_name
from providers.models import DailyLimit

from .machinery.queue_pages import how_often, queue_label
from .machinery.task_labels import TASK_LABELS
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


def audit_columns(_reader: User) -> list[Column]:
    return [
        Column(TIME, lambda entry: entry.timestamp),
        Column(
            pgettext_lazy("field", "Person"),
            lambda entry: person_name(entry.actor) if entry.actor else entry.actor_email or "",
        ),
        Column(pgettext_lazy("column", "Object"), lambda entry: entry.object_repr),
        Column(
            pgettext_lazy("column", "Change"),
            lambda entry: str(label_for("change", str(entry.action)).word),
        ),
        Column(
            pgettext_lazy("column", "Fields"),
            lambda entry: json.dumps(entry.changes_dict, ensure_ascii=False),
        ),
        Column(_("IP address"), lambda entry: entry.remote_addr or ""),
    ]


STAFF: Final = ListExport("staff", staff_columns)
ROLES: Final = ListExport("roles", role_columns)
LIMITS: Final = ListExport("daily-limits", limit_columns)

TASK: Final = Column(pgettext_lazy("column", "Task"), lambda task: _task_name(task.func))
SCHEDULE: Final = (
    Column(pgettext_lazy("column", "Task"), lambda one: _task_name(one.func)),
    Column(_("How often"), how_often),
    Column(_("Next run"), lambda one: one.next_run),
)
WAITING: Final = (
    Column(pgettext_lazy("column", "Task"), lambda row: _task_name(row.task.get("func"))),
    Column(pgettext_lazy("column", "Queue"), lambda row: str(queue_label(row.key))),
    Column(_("Taken until"), lambda row: row.lock),
)


def _task_name(func: object) -> str:
    known = TASK_LABELS.get(str(func))
    return str(known) if known else str(func or "")


def task_columns(_reader: User) -> list[Column]:
    return [
        TASK,
        Column(_("Started at"), lambda task: task.started),
        Column(_("Ended at"), lambda task: task.stopped),
        Column(pgettext_lazy("field", "Id"), lambda task: task.id),
    ]


def _sign_in_columns(*more: Column) -> Columns:
    def columns(_reader: User) -> list[Column]:
        return [
            Column(TIME, lambda row: row.attempt_time),
            Column(pgettext_lazy("field", "Username"), lambda row: row.username or ""),
            *more,
            Column(_("IP address"), lambda row: row.ip_address or ""),
            Column(pgettext_lazy("column", "Browser"), lambda row: row.user_agent),
        ]

    return columns


MACHINERY: Final[dict[type[Model], ListExport]] = {
    LogEntry: ListExport("audit-log", audit_columns),
    AccessAttempt: ListExport(
        "failed-sign-ins",
        _sign_in_columns(
            Column(pgettext_lazy("column", "Tries"), lambda row: row.failures_since_start)
        ),
    ),
    AccessLog: ListExport(
        "sign-ins", _sign_in_columns(Column(_("Signed out at"), lambda row: row.logout_time))
    ),
    AccessFailureLog: ListExport("refused-sign-ins", _sign_in_columns()),
    OrmQ: ListExport("queue", lambda _reader: WAITING),
    Success: ListExport("tasks", task_columns),
    Failure: ListExport("failed-tasks", task_columns),
    Schedule: ListExport("schedules", lambda _reader: SCHEDULE),
}
