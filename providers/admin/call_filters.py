"""The filters of the list of API calls."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, MultipleDropdownFilter

from core.admin.filters import AnyOfFilter, LocalTimeFilter, OneOfFilter, Splits
from core.admin.labels import states_of

from ..models import Account, ApiCall
from ..presentation.labels import OPERATIONS, operation_label

Choices = list[tuple[str, str]]
STATUSES: Final = {
    "none": None,
    "2": (200, 299),
    "3": (300, 399),
    "4": (400, 499),
    "429": (429, 429),
    "5": (500, 599),
}
"""The first and the last status of each choice."""


class AccountFilter(OneOfFilter):
    title = pgettext_lazy("field", "Account")
    parameter_name = "account"
    field_name = "account__public_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return list(Account.objects.order_by("name").values_list("public_id", "name"))


class OperationFilter(Splits, MultipleDropdownFilter):
    """One entry per label. Sending a code is two operations, one for each kind of provider."""

    title = pgettext_lazy("field", "Operation")
    parameter_name = "operation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        names_by_label: dict[str, str] = {}
        for name in OPERATIONS:
            names_by_label.setdefault(operation_label(name), name)
        return [(name, word) for word, name in names_by_label.items()]

    def conditions(self) -> list[Q]:
        chosen = self.value() or []
        words = {operation_label(name) for name in chosen}
        same = [name for name in OPERATIONS if operation_label(name) in words]
        return [Q(operation=name) for name in dict.fromkeys([*same, *chosen])]


class OutcomeFilter(AnyOfFilter):
    title = pgettext_lazy("field", "Outcome")
    parameter_name = "outcome"
    field_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, str(label.word)) for value, label in states_of("api_call").items()]


class HttpStatusFilter(Splits, DropdownFilter):
    title = _("HTTP status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        words = {"none": gettext("none: no answer"), "429": gettext("429: too many requests")}
        return [(value, words.get(value, f"{value}xx")) for value in STATUSES]

    def conditions(self) -> list[Q]:
        chosen = self.value() or ""
        if chosen not in STATUSES:
            return []
        ends = STATUSES[chosen]
        if ends is None:
            return [Q(http_status=None)]
        # A provider uses few statuses, and an index has the calls of each.
        return [Q(http_status=status) for status in _statuses(*ends)] or [Q(http_status=ends[0])]


def _statuses(first: int, last: int) -> list[int]:
    """The statuses that calls have between these two, each found by one look into an index."""
    found: list[int] = []
    while first <= last:
        later = ApiCall.objects.filter(http_status__range=(first, last)).order_by("http_status")
        status = later.values_list("http_status", flat=True).first()
        if status is None:
            break
        found.append(status)
        first = status + 1
    return found


FILTERS: Final[tuple[Any, ...]] = (
    AccountFilter,
    OperationFilter,
    OutcomeFilter,
    HttpStatusFilter,
    ("started_at", LocalTimeFilter),
)
