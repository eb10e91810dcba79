"""The filters of the list of API calls."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, MultipleDropdownFilter

from core.admin.filters import AnyOfFilter, LocalTimeFilter, OneOfFilter
from core.admin.labels import states_of

from ..models import Account, ApiCall
from ..presentation.labels import OPERATIONS, operation_label

Choices = list[tuple[str, str]]
STATUSES: Final = {
    "none": Q(http_status=None),
    "2": Q(http_status__range=(200, 299)),
    "3": Q(http_status__range=(300, 399)),
    "4": Q(http_status__range=(400, 499)),
    "429": Q(http_status=429),
    "5": Q(http_status__range=(500, 599)),
}


class AccountFilter(OneOfFilter):
    title = pgettext_lazy("field", "Account")
    parameter_name = "account"
    field_name = "account__public_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return list(Account.objects.order_by("name").values_list("public_id", "name"))


class OperationFilter(MultipleDropdownFilter):
    """One entry per label. Sending a code is two operations, one for each kind of provider."""

    title = pgettext_lazy("field", "Operation")
    parameter_name = "operation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        names_by_label: dict[str, str] = {}
        for name in OPERATIONS:
            names_by_label.setdefault(operation_label(name), name)
        return [(name, word) for word, name in names_by_label.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiCall]) -> QuerySet[ApiCall]:
        chosen = self.value()
        if not chosen:
            return queryset
        words = {operation_label(name) for name in chosen}
        same = [name for name in OPERATIONS if operation_label(name) in words]
        return queryset.filter(operation__in={*same, *chosen})


class OutcomeFilter(AnyOfFilter):
    title = pgettext_lazy("field", "Outcome")
    parameter_name = "outcome"
    field_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, str(label.word)) for value, label in states_of("api_call").items()]


class HttpStatusFilter(DropdownFilter):
    title = _("HTTP status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        words = {"none": gettext("none: no answer"), "429": gettext("429: too many requests")}
        return [(value, words.get(value, f"{value}xx")) for value in STATUSES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiCall]) -> QuerySet[ApiCall]:
        chosen = STATUSES.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


FILTERS: Final[tuple[Any, ...]] = (
    AccountFilter,
    OperationFilter,
    OutcomeFilter,
    HttpStatusFilter,
    ("started_at", LocalTimeFilter),
)
