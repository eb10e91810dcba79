"""Filters of lists that the admin theme does not have, or not right."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_time
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter

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
    counts is never cut short. The subclass names the field.
    """

    title = _("Period")
    parameter_name = "period"
    field_name = "created_at"
    first_days: Final = "7"

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Any], model_admin: Any
    ) -> None:
        asked = set(request.GET) - NOT_FILTERS
        self.is_first_view = not any(request.GET.get(name) for name in asked)
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("7", gettext("Last 7 days")),
            ("30", gettext("Last 30 days")),
            ("all", gettext("All times")),
        ]

    @property
    def standing_chip(self) -> tuple[str, str] | None:
        """The text of the chip of the first view, and the value that takes it away."""
        return (gettext("Last 7 days"), "all") if self.is_first_view else None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.first_days if self.is_first_view else self.value()
        if days not in ("7", "30"):
            return queryset
        since = timezone.now() - timedelta(days=int(days))
        return queryset.filter(**{f"{self.field_name}__gte": since})
