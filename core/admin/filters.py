"""Filters of lists that the admin theme does not have, or not right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, ClassVar, Final

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_time
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    DropdownFilter,
    MultipleDropdownFilter,
    RangeDateTimeFilter,
)

from core.countries import country_name

from .buttons import Text
from .labels import states_of

EARLIEST: Final = 1900
LATEST: Final = 9000
"""Years. At the very ends of the calendar there is no room for a time zone."""


class LocalTimeFilter(RangeDateTimeFilter):
    """From and to in the reader's time zone. A day without a time is the whole day; what
    is no time narrows nothing."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        start = self._moment("from", time.min)
        end = self._moment("to", time.max)
        if start is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": start})
        if end is not None:
            queryset = queryset.filter(**{f"{self.field_path}__lte": end})
        return queryset

    def _moment(self, side: str, otherwise: time) -> datetime | None:
        typed = [
            str(self.used_parameters.get(f"{self.parameter_name}_{side}_{part}") or "")
            for part in (0, 1)
        ]
        try:
            day, clock = parse_date(typed[0]), parse_time(typed[1]) if typed[1] else otherwise
        except ValueError:
            return None
        if day is None or clock is None or not EARLIEST <= day.year <= LATEST:
            return None
        return timezone.make_aware(datetime.combine(day, clock.replace(tzinfo=None)))


NOT_FILTERS: Final = frozenset({"p", "o", "e", "_facets"})
"""Parameters of a list that show other rows of the same ones."""


class RecentFilter(DropdownFilter):
    """A list's first view shows the last days, and says so in a chip that can be taken away.

    Whoever filters or searches in any other way looks at all times: what a tab or a badge
    counts is never cut short. The subclass names the field, and the periods it offers.
    """

    title = _("Period")
    parameter_name = "period"
    field_name = "created_at"
    default_period = "7"
    """The period of the first view: `today` (in the reader's time zone) or so many days."""
    periods: ClassVar[tuple[str, ...]] = ("7", "30")

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Any], model_admin: Any
    ) -> None:
        asked = set(request.GET) - NOT_FILTERS
        self.is_first_view = not any(request.GET.get(name) for name in asked)
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        words = self._words()
        return [*((period, words[period]) for period in self.periods), ("all", words["all"])]

    @staticmethod
    def _words() -> dict[str, str]:
        return {
            "today": gettext("Today"),
            "7": gettext("Last 7 days"),
            "30": gettext("Last 30 days"),
            "all": gettext("All times"),
        }

    @property
    def default_chip(self) -> tuple[str, str] | None:
        """The text of the chip of the first view, and the value that takes it away."""
        return (self._words()[self.default_period], "all") if self.is_first_view else None

    @property
    def chosen(self) -> str:
        """One of those offered; empty for all times."""
        period = self.default_period if self.is_first_view else self.value()
        return str(period) if period in self.periods else ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.chosen:
            return queryset
        now = timezone.localtime()
        since = (
            now.replace(hour=0, minute=0, second=0, microsecond=0)
            if self.chosen == "today"
            else now - timedelta(days=int(self.chosen))
        )
        return queryset.filter(**{f"{self.field_name}__gte": since})


class AnyOfFilter(MultipleDropdownFilter):
    """Rows whose field is any of the chosen values. The subclass names the field and gives the
    choices by `words`, or by `lookups`."""

    field_name: ClassVar[str]
    words: ClassVar[Mapping[str, Text]] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, str(word)) for value, word in self.words.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(**{f"{self.field_name}__in": chosen}) if chosen else queryset


class OneOfFilter(DropdownFilter):
    """Rows whose field is the chosen value. The subclass names the field and gives `lookups`."""

    field_name: ClassVar[str]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(**{self.field_name: value}) if value else queryset


class StateFilter(MultipleDropdownFilter):
    """By the words that the labels say, derived states included. The subclass names the kind
    of thing whose labels they are, and finds the rows."""

    title = _("State")
    parameter_name = "shown"
    kind: ClassVar[str]
    excluded: ClassVar[frozenset[str]] = frozenset({"claimed"})
    """States that share their label with another one."""

    def where(self, shown: str) -> Q:
        """The rows whose label is that of `shown`."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        labels = states_of(self.kind)
        return [(key, str(one.word)) for key, one in labels.items() if key not in self.excluded]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = [value for value in self.value() or [] if value in states_of(self.kind)]
        if not chosen:
            return queryset
        wanted = Q()
        for value in chosen:
            wanted |= self.where(value)
        return queryset.filter(wanted)


class CountryFilter(OneOfFilter):
    """By the countries that stand in the rows, by name. The subclass names the field."""

    title = _("Country/region")
    parameter_name = "country"
    field_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = model_admin.model.objects.order_by(self.field_name)
        codes = rows.values_list(self.field_name, flat=True).distinct()
        return sorted(((code, country_name(code)) for code in codes), key=lambda pair: pair[1])
