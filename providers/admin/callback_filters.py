"""The filters of the list of callbacks."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import pgettext_lazy

from core.admin.filters import AnyOfFilter, LocalTimeFilter
from core.admin.labels import states_of

from ..presentation.callback_texts import PROBLEMS, REPORT_WORDS
from .call_filters import AccountFilter

Choices = list[tuple[str, str]]


class StateFilter(AnyOfFilter):
    title = pgettext_lazy("field", "State")
    parameter_name = "state"
    field_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, str(label.word)) for value, label in states_of("callback").items()]


class SaysFilter(AnyOfFilter):
    title = pgettext_lazy("field", "Report")
    parameter_name = "says"
    field_name = "says"
    words = REPORT_WORDS


class ProblemFilter(AnyOfFilter):
    title = pgettext_lazy("field", "Problem")
    parameter_name = "problem"
    field_name = "problem"
    words = PROBLEMS


FILTERS: Final[tuple[Any, ...]] = (
    StateFilter,
    AccountFilter,
    SaysFilter,
    ProblemFilter,
    ("received_at", LocalTimeFilter),
)
