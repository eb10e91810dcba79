"""Hours without alerts, in the receiver's time zone. They may span midnight."""

from __future__ import annotations

from datetime import datetime, time, tzinfo


def is_quiet(start: time | None, end: time | None, moment: datetime, zone: tzinfo) -> bool:
    """Whether clocks in `zone` show a time from `start` up to, but without, `end`."""
    if start is None or end is None or start == end:
        return False
    shown = moment.astimezone(zone).time()
    if start < end:
        return start <= shown < end
    return shown >= start or shown < end
