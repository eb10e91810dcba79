"""The period of a list whose filters no index serves together."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from core.fixed_moment import fixed_or
from core.times import full_time

from .filters import LocalTimeFilter, RecentFilter

DAYS: Final = 31
Bounds = tuple[datetime, datetime]


def bounds_of(request: HttpRequest, changelist: Any) -> Bounds | None:
    """The period that the list covers, if its filters are more than an index serves.

    None if there is a search, a filter that leaves few rows, or a chosen period that is short. Of
    a longer one the list covers the end.
    """
    admin = changelist.model_admin
    if admin.indexed_pairs is None or changelist.query:
        return None
    used = [spec for spec in changelist.filter_specs if _is_used(request, spec)]
    times = [spec for spec in used if isinstance(spec, RecentFilter | LocalTimeFilter)]
    names = {_name_of(spec) for spec in used if spec not in times}
    is_served = frozenset(names) in admin.indexed_pairs or not names.isdisjoint(admin.few_rows_by)
    if len(names) < 2 or is_served or any(isinstance(spec, RecentFilter) for spec in times):
        return None
    now = fixed_or(timezone.now())
    start, end = times[0].period if times else (None, None)
    end = min(end or now, now)
    # Whole days, one of which may have 25 hours.
    earliest = end - timedelta(days=DAYS, hours=2)
    return None if start is not None and start >= earliest else (earliest, end)


def bounds_text(bounds: Bounds) -> str:
    """Says what the list covers, and how to see the other rows."""
    start, end = map(full_time, bounds)
    return _(
        "With these filters together, the list covers %(days)s days: from %(start)s to %(end)s."
        " Choose another period to see other rows."
    ) % {"days": DAYS, "start": start, "end": end}


def _name_of(spec: Any) -> str:
    return str(getattr(spec, "field_path", None) or spec.parameter_name)


def _is_used(request: HttpRequest, spec: Any) -> bool:
    if isinstance(spec, RecentFilter):
        return bool(spec.chosen)
    names = [name for name in spec.expected_parameters() if name]
    return any(request.GET.get(name) for name in names)
