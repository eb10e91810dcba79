"""Filters of lists that the admin theme does not have right."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_time
from unfold.contrib.filters.admin import RangeDateTimeFilter

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
