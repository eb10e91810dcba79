"""The base of these pages.

Read-only: write access here would allow arbitrary code execution, because a schedule or a task
names the function to run.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from core.admin.read_only import ReadOnlyAdmin


class MachineryAdmin(ReadOnlyAdmin):
    actions = ()
    detail_template = "portal/machinery.html"
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
