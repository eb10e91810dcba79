"""The filters of the list of messages."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    MultipleDropdownFilter,
    RelatedDropdownFilter,
)

from core.filters import LocalTimeFilter
from core.labels import states_of

from .labels import where_shown
from .models import Message


class ShownStateFilter(MultipleDropdownFilter):
    """By the words that the labels say, derived states included."""

    title = _("State")
    parameter_name = "shown"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        labels = states_of("message")
        return [(key, str(label.word)) for key, label in labels.items() if key != "claimed"]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        chosen = [value for value in self.value() or [] if value in states_of("message")]
        if not chosen:
            return queryset
        wanted = where_shown(chosen[0])
        for value in chosen[1:]:
            wanted |= where_shown(value)
        return queryset.filter(wanted)


FILTERS: tuple[Any, ...] = (
    ShownStateFilter,
    ("account", RelatedDropdownFilter),
    ("kind", ChoicesDropdownFilter),
    ("created_by", RelatedDropdownFilter),
    ("created_at", LocalTimeFilter),
)
