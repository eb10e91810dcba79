"""Tasks of the queue that wait, failed or ended, and the schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext, pgettext_lazy
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from core.admin.buttons import EmptyState
from core.admin.labels import Role, StateLabel, register_states, state_label
from core.masking import data
from core.times import duration, when

from .pages import MachineryAdmin
from .task_labels import TASK_LABELS, task_label

TASKS: Final = (pgettext_lazy("counted", "task"), pgettext_lazy("counted", "tasks"))
QUEUES: Final[dict[str, Promise]] = {
    "smsportal": pgettext_lazy("queue", "default"),
    "engine": pgettext_lazy("queue", "engine"),
}
DAY: Final = 24 * 60
register_states(
    "task",
    {
        "True": StateLabel(
            pgettext_lazy("tasks", "Done"),
            Role.SUCCESS,
            "check_circle",
            _("The task ran to its end."),
        ),
        "False": StateLabel(
            pgettext_lazy("tasks", "Failed"),
            Role.DANGER,
            "error",
            _(
                "The task ended with an error."
                " Calls to providers are never repeated because of that."
            ),
        ),
    },
)


def queue_label(key: str) -> str | SafeString:
    known = QUEUES.get(key)
    return str(known) if known else data(key)


class TaskPage(MachineryAdmin):
    """Tasks that ran, the latest first."""

    counted_as = TASKS
    list_display: Sequence[str] = ("task_", "started_", "took")
    search_fields = ("=func", "=id")
    search_help_text = _("Function or id of the task")
    ordering = ("-started",)

    @admin.display(description=pgettext_lazy("column", "Task"), ordering="func")
    def task_(self, task: Task) -> str | SafeString:
        return task_label(task.func)

    @admin.display(description=_("Started at"), ordering="started")
    def started_(self, task: Task) -> SafeString:
        return when(task.started)

    @admin.display(description=pgettext_lazy("column", "Duration"))
    def took(self, task: Task) -> str:
        return duration(task.stopped - task.started)

    @admin.display(description=pgettext_lazy("column", "Error"))
    def error(self, task: Task) -> SafeString:
        lines = str(task.result or "").strip().splitlines()
        return data(lines[0][:120] if lines else "")

    def get_detail_title(self, request: HttpRequest, obj: Task) -> str:
        return str(task_label(obj.func))

    def get_detail_context(self, request: HttpRequest, obj: Task) -> Mapping[str, Any]:
        return {
            "state": state_label("task", str(obj.success)),
            "facts": [
                (_("Started at"), when(obj.started, full=True)),
                (pgettext("column", "Duration"), duration(obj.stopped - obj.started)),
                (pgettext_lazy("column", "Tries"), obj.attempt_count),
                (pgettext("field", "Function"), data(obj.func)),
                (pgettext("field", "Arguments"), data(obj.args or "")),
                (pgettext("field", "Id"), data(obj.id)),
            ],
            "raw_title": pgettext("title", "Result") if obj.success else pgettext("title", "Error"),
            "raw": "" if obj.result is None else obj.result,
        }


class FailedTaskPage(TaskPage):
    list_title = _("Failed tasks")
    list_display = ("task_", "started_", "took", "error")

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("No task has failed."), icon="check_circle")


class DoneTaskPage(TaskPage):
    list_title = _("Completed tasks")


class WaitingTaskPage(MachineryAdmin):
    list_title = _("Waiting tasks")
    counted_as = TASKS
    list_display = ("task_", "queue_", "taken_until")
    ordering = ("pk",)

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(_("No task is waiting."), icon="check_circle")

    @admin.display(description=pgettext_lazy("column", "Task"))
    def task_(self, row: OrmQ) -> str | SafeString:
        return task_label(row.task.get("func") or pgettext("value", "unreadable"))

    @admin.display(description=pgettext_lazy("column", "Queue"), ordering="key")
    def queue_(self, row: OrmQ) -> str | SafeString:
        return queue_label(row.key)

    @admin.display(description=_("Taken until"), ordering="lock")
    def taken_until(self, row: OrmQ) -> SafeString:
        return when(row.lock)

    def get_detail_title(self, request: HttpRequest, obj: OrmQ) -> str:
        return str(self.task_(obj))

    def get_detail_context(self, request: HttpRequest, obj: OrmQ) -> Mapping[str, Any]:
        return {
            "facts": [
                (pgettext("column", "Queue"), self.queue_(obj)),
                (_("Taken until"), when(obj.lock, full=True)),
                (pgettext("field", "Function"), data(str(obj.task.get("func") or ""))),
                (pgettext("field", "Arguments"), data(str(obj.task.get("args") or ""))),
                (pgettext("field", "Id"), data(str(obj.task.get("id") or ""))),
            ]
        }


def how_often(schedule: Schedule) -> str:
    """The interval in words. The portal's own schedules count minutes."""
    if schedule.schedule_type != Schedule.MINUTES or not schedule.minutes:
        return str(schedule.get_schedule_type_display())
    if schedule.minutes == DAY:
        return pgettext("schedule", "daily")
    text = ngettext("every minute", "every %(n)s minutes", schedule.minutes)
    return text % {"n": schedule.minutes}


class SchedulePage(MachineryAdmin):
    list_title = pgettext_lazy("title", "Schedules")
    counted_as = (pgettext_lazy("counted", "schedule"), pgettext_lazy("counted", "schedules"))
    list_display = ("task_", "often", "next_", "last")
    ordering = ("next_run", "pk")

    @admin.display(description=pgettext_lazy("column", "Task"), ordering="func")
    def task_(self, schedule: Schedule) -> str | SafeString:
        known = schedule.func in TASK_LABELS
        return task_label(schedule.func) if known else data(schedule.name or schedule.func)

    @admin.display(description=_("How often"))
    def often(self, schedule: Schedule) -> str:
        return how_often(schedule)

    @admin.display(description=_("Next run"), ordering="next_run")
    def next_(self, schedule: Schedule) -> SafeString:
        return when(schedule.next_run)

    @admin.display(description=_("Last run"))
    def last(self, schedule: Schedule) -> SafeString:
        ended: bool | None = schedule.last_success
        return state_label("task", str(ended)) if ended is not None else SafeString("")

    def prepare_rows(self, rows: Sequence[Any]) -> None:
        ids = [row.task for row in rows if row.task]
        ended = dict(Task.objects.filter(pk__in=ids).values_list("pk", "success"))
        for row in rows:
            row.last_success = ended.get(row.task)

    def get_detail_title(self, request: HttpRequest, obj: Schedule) -> str:
        return str(self.task_(obj))

    def get_detail_context(self, request: HttpRequest, obj: Schedule) -> Mapping[str, Any]:
        self.prepare_rows([obj])
        return {
            "state": self.last(obj),
            "facts": [
                (_("How often"), how_often(obj)),
                (_("Next run"), when(obj.next_run, full=True)),
                (pgettext("field", "Name"), data(obj.name or "")),
                (pgettext("field", "Function"), data(obj.func)),
            ],
        }


PAGES: Final = (
    (OrmQ, WaitingTaskPage),
    (Failure, FailedTaskPage),
    (Success, DoneTaskPage),
    (Schedule, SchedulePage),
)
