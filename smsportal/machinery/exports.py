"""What the lists of these pages export."""

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
from core.admin.list_export import Column, Columns, ListExport
from core.people import person_name

from .queue_pages import how_often, queue_label
from .task_labels import TASK_LABELS

TIME: Final = pgettext_lazy("column", "Time")
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


MACHINERY: Final[dict[type[Model], ListExport]] = {
    LogEntry: ListExport("changes", audit_columns),
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
