"""The filters of the list of callbacks."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import MultipleDropdownFilter

from core.admin.filters import LocalTimeFilter
from core.admin.labels import states_of

from ..callback_texts import PROBLEMS, SAYS
from ..models import Callback
from .call_filters import AccountFilter

Choices = list[tuple[str, str]]


class StateFilter(MultipleDropdownFilter):
    title = _("State")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, str(label.word)) for value, label in states_of("callback").items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Callback]) -> QuerySet[Callback]:
        chosen = self.value()
        return queryset.filter(state__in=chosen) if chosen else queryset


class SaysFilter(MultipleDropdownFilter):
    title = _("Says")
    parameter_name = "says"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, str(word)) for value, word in SAYS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Callback]) -> QuerySet[Callback]:
        chosen = self.value()
        return queryset.filter(says__in=chosen) if chosen else queryset


class ProblemFilter(MultipleDropdownFilter):
    title = _("Problem")
    parameter_name = "problem"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, str(word)) for value, word in PROBLEMS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Callback]) -> QuerySet[Callback]:
        chosen = self.value()
        return queryset.filter(problem__in=chosen) if chosen else queryset


FILTERS: Final[tuple[Any, ...]] = (
    StateFilter,
    AccountFilter,
    SaysFilter,
    ProblemFilter,
    ("received_at", LocalTimeFilter),
)
