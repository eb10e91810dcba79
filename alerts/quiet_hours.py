"""Hours without alerts, in the receiver's time zone. They may span midnight."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo


def is_quiet(start: time | None, end: time | None, moment: datetime, zone: tzinfo) -> bool:
    """Whether clocks in `zone` show a time from `start` up to, but without, `end`."""
    if start is None or end is None or start == end:
        return False
    shown = moment.astimezone(zone).time()
    if start < end:
        return start <= shown < end
    return shown >= start or shown < end


def end_of_quiet(start: time | None, end: time | None, moment: datetime, zone: tzinfo) -> datetime:
    """The moment itself, or the end of the quiet hours that it is in."""
    if end is None or not is_quiet(start, end, moment, zone):
        return moment
    shown = moment.astimezone(zone)
    day = shown.date() if shown.time() < end else shown.date() + timedelta(days=1)
    for fold in (0, 1):
        ends = datetime.combine(day, end.replace(fold=fold), zone).astimezone(moment.tzinfo)
        # Where clocks are set back, the first of two such times may be over.
        if ends > moment:
            return ends
    return moment
