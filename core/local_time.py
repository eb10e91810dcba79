"""Times as people enter them: in the local time zone, where clocks are set twice a year.

When clocks are set forward, some times do not exist on that day. When they are set back, some
occur twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext

SHORTEST_STEP: Final = timedelta(seconds=1)
EARLIEST: Final = datetime(1, 1, 3)  # noqa: DTZ001 - naive, as people enter times
LATEST: Final = datetime(9999, 12, 29)  # noqa: DTZ001
"""Times beyond these have no counterpart in UTC; they are taken for these."""


def moments_at(local: datetime) -> list[datetime]:
    """The moments at which clocks show this naive time: none, one, or two in their order."""
    zone = timezone.get_current_timezone()
    local = min(max(local, EARLIEST), LATEST)
    found = []
    for fold in (0, 1):
        moment = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None, fold=0) == local and moment not in found:
            found.append(moment)
    return sorted(found)


def skip_at(local: datetime) -> tuple[datetime, datetime]:
    """What clocks showed just before and after they skipped this naive time."""
    zone = timezone.get_current_timezone()
    change = _change_around(local, zone)
    before = change + local.replace(tzinfo=zone, fold=0).utcoffset()  # type: ignore[operator]
    after = change + local.replace(tzinfo=zone, fold=1).utcoffset()  # type: ignore[operator]
    return before.replace(tzinfo=None), after.replace(tzinfo=None)


def _change_around(local: datetime, zone: tzinfo) -> datetime:
    """The moment at which clocks skipped this time."""
    early, late = sorted(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    offset = early.astimezone(zone).utcoffset()
    while late - early > SHORTEST_STEP:
        middle = early + (late - early) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def earliest_moment(local: datetime) -> datetime:
    """Where a period begins that begins at this naive time."""
    moments = moments_at(local)
    return moments[0] if moments else _change_around(local, timezone.get_current_timezone())


def latest_moment(local: datetime) -> datetime:
    """Where a period ends that ends at this naive time."""
    moments = moments_at(local)
    return moments[-1] if moments else _change_around(local, timezone.get_current_timezone())


def missing_time_text(local: datetime) -> str:
    before, after = skip_at(local)
    text = gettext(
        "This time does not exist on that day: clocks are set forward from %(before)s to %(after)s."
    )
    return text % {"before": f"{before:%H:%M}", "after": f"{after:%H:%M}"}


class LocalDateTimeField(forms.SplitDateTimeField):
    """Two fields for a local time. The value is naive; one that does not exist is an error."""

    def compress(self, data_list: Any) -> datetime | None:
        if not data_list or data_list[0] in self.empty_values or data_list[1] in self.empty_values:
            return None
        local = datetime.combine(*data_list)
        if not moments_at(local):
            raise forms.ValidationError(missing_time_text(local))
        return local
