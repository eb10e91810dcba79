"""Pages of the queue and of sign-ins, for superusers, and of the audit log.

Read-only: write access here would allow arbitrary code execution, because a schedule or a task
names the function to run.
"""

from __future__ import annotations

from typing import Any

from auditlog.admin import LogEntryAdmin
from auditlog.models import LogEntry
from axes.admin import AccessAttemptAdmin, AccessFailureLogAdmin, AccessLogAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django_q.admin import FailAdmin, QueueAdmin, ScheduleAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Schedule, Success

from core.admin.base import PortalAdmin

from .list_exports import MACHINERY
from .roles import VIEW_AUDIT_LOG


class ReadOnlyPage(PortalAdmin):
    actions = ()
    list_filter_submit = False
    permission = ""
    """The permission to see the page. Without one, only superusers may."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        user = request.user
        if self.permission:
            return user.has_perm(self.permission)
        return user.is_active and user.is_superuser

    @property
    def is_for_superusers(self) -> bool:
        return not self.permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


PAGES: tuple[tuple[type[Model], type[admin.ModelAdmin[Any]]], ...] = (
    (OrmQ, QueueAdmin),
    (Failure, FailAdmin),
    (Success, TaskAdmin),
    (Schedule, ScheduleAdmin),
    (AccessAttempt, AccessAttemptAdmin),
    (AccessLog, AccessLogAdmin),
    (AccessFailureLog, AccessFailureLogAdmin),
    (LogEntry, LogEntryAdmin),
)


def register() -> None:
    """Replace each library's admin by a read-only one in the portal's frame."""
    for model, original in PAGES:
        if admin.site.is_registered(model):
            admin.site.unregister(model)
        values: dict[str, Any] = {"list_export": MACHINERY[model]}
        if model is LogEntry:
            values["permission"] = VIEW_AUDIT_LOG
        read_only = type(f"Portal{original.__name__}", (ReadOnlyPage, original), values)
        admin.site.register(model, read_only)
