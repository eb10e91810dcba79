"""Filters of the list of staff."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import pgettext_lazy

from ..rights.roles import role_label


class RoleFilter(admin.SimpleListFilter):
    title = pgettext_lazy("field", "Role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        roles = Group.objects.order_by("pk").values_list("pk", "name")
        return [(str(pk), role_label(name)) for pk, name in roles]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        chosen = self.value()
        return queryset.filter(groups__pk=chosen) if chosen in self.known() else queryset

    def known(self) -> set[str]:
        return {str(value) for value, _word in self.lookup_choices}
