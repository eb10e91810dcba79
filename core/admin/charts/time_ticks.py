"""Words below a chart over time: local days, or both ends of a shorter time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import pgettext

from core.local_time import earliest_moment
from core.times import short_time

from .bases import Tick

_MOST_DAYS: Final = 9
_ROOM: Final = 0.04
"""Distance from an end at which a word would not fit, as a share of the width."""


def day(moment: datetime) -> str:
    """20 Nov"""
    # Translators: a day below a chart, as short as can be, in Django's date format letters.
    form = pgettext("date below a chart", "j M")
    return date_format(timezone.localtime(moment), form, use_l10n=False)


def share_between(moment: datetime, start: datetime, end: datetime) -> float:
    """Where a moment stands, from 0 to 1."""
    return (moment - start) / (end - start) if end > start else 0.5


def day_ticks(start: datetime, end: datetime) -> list[Tick]:
    """A word at each midnight, thinned out; without a midnight the times of both ends."""
    places = [(share_between(moment, start, end), moment) for moment in _midnights(start, end)]
    places = [(at, moment) for at, moment in places if _ROOM < at < 1 - _ROOM]
    if not places:
        return [Tick(0, short_time(start)), Tick(1, short_time(end))]
    stride = -(-len(places) // _MOST_DAYS)
    return [
        Tick(at, day(moment), is_wide_only=bool(index % 2))
        for index, (at, moment) in enumerate(places[::stride])
    ]


def _midnights(start: datetime, end: datetime) -> Iterator[datetime]:
    """Where local days begin: not each of them has 24 hours."""
    naive = timezone.localtime(start).replace(
        hour=0, minute=0, second=0, microsecond=0, tzinfo=None
    )
    while (moment := earliest_moment(naive)) < end:
        if moment > start:
            yield moment
        naive += timedelta(days=1)
