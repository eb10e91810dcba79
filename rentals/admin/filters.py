"""Filters of the lists of orders, transactions and findings."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.contrib.filters.admin import (
    DropdownFilter,
)

from core.admin.filters import (
    AnyOfFilter,
    CountryFilter,
    LocalTimeFilter,
    OneOfFilter,
    RelatedFilter,
    StateFilter,
    StoredChoices,
)
from core.admin.once import once
from core.distinct_values import distinct_values

from ..catalogue import project_names, renting_providers
from ..models import Finding, Order, Transaction
from ..presentation import dashboard
from ..presentation.labels import shown_parts, where_shown
from ..presentation.timeline import type_word


class ShownStateFilter(StateFilter):
    kind = "order"

    def where(self, shown: str) -> Q:
        return where_shown(shown)

    def parts(self, shown: str) -> list[Q]:
        return shown_parts(shown)


class EndingFilter(DropdownFilter):
    title = pgettext_lazy("field", "Ends")
    parameter_name = "ending"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("soon", str(_("within 2 minutes")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if self.value() != "soon":
            return queryset
        return queryset.filter(pk__in=dashboard.ending_soon().values("pk"))


class AppFilter(OneOfFilter):
    title = pgettext_lazy("field", "App")
    parameter_name = "project"
    field_name = "project"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(once(request, "projects", project_names).items(), key=lambda pair: pair[1])


class RegionFilter(CountryFilter):
    parameter_name = "region"
    field_name = "region"


class TypeFilter(StoredChoices, AnyOfFilter):
    """Filter by the provider's type, translated if it is known."""

    title = pgettext_lazy("field", "Type")
    parameter_name = "type"
    field_name = "type"

    def stored_choices(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(type_, type_word(type_)) for type_ in distinct_values(Transaction, "type")]


class ProviderFilter(OneOfFilter):
    title = pgettext_lazy("column", "Provider")
    parameter_name = "provider"
    field_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(renting_providers())


class OpenFilter(DropdownFilter):
    title = pgettext_lazy("field", "State")
    parameter_name = "open"
    CHOICES = (
        ("open", pgettext_lazy("finding", "open")),
        ("explained", pgettext_lazy("finding", "explained")),
        ("gone", pgettext_lazy("finding", "resolved")),
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(word)) for value, word in self.CHOICES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Finding]) -> QuerySet[Finding]:
        match self.value():
            case "open":
                return queryset.filter(gone_at=None, explained_at=None)
            case "explained":
                return queryset.exclude(explained_at=None)
            case "gone":
                return queryset.exclude(gone_at=None)
        return queryset


ORDERS: tuple[Any, ...] = (
    ShownStateFilter,
    ("account", RelatedFilter),
    AppFilter,
    RegionFilter,
    EndingFilter,
    ("held_by", RelatedFilter),
    ("created_at", LocalTimeFilter),
)
TRANSACTIONS: tuple[Any, ...] = (
    TypeFilter,
    ("account", RelatedFilter),
    ("created_there", LocalTimeFilter),
)
FINDINGS: tuple[Any, ...] = (OpenFilter, ("account", RelatedFilter))
