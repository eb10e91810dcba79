"""Formats times for staff: local, on a 24-hour clock, precise enough to settle disputes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext


def full_time(moment: datetime) -> str:
    """Date, time and zone: 2025-11-20 14:05:32 UTC+08:00."""
    return _full(timezone.localtime(moment))


def _full(local: datetime) -> str:
    return f"{local:%Y-%m-%d %H:%M:%S} {offset_of(local)}"


def offset_of(local: datetime) -> str:
    """How far its zone is from UTC at that moment: UTC+05:45."""
    zone = local.strftime("%z")
    return f"UTC{zone[:3]}:{zone[3:5]}"


def _zone_mark(local: datetime) -> str:
    """The offset of the reader's zone if it is not the installation's, in which colleagues read."""
    own, common = timezone.get_current_timezone_name(), timezone.get_default_timezone_name()
    return "" if own == common else f" {offset_of(local)}"


def exact(moment: datetime, *, is_whole_second: bool = False) -> SafeString:
    """A `<time>` element with hundredths, so that a timeline shows which event came first.

    A provider that states whole seconds does not state hundredths, so none are shown.
    """
    local = timezone.localtime(moment)
    hundredths = "" if is_whole_second else f".{local.microsecond // 10_000:02}"
    return format_html(
        '<time datetime="{}" title="{}">{}{}{}</time>',
        local.isoformat(timespec="seconds" if is_whole_second else "milliseconds"),
        full_time(moment),
        f"{local:%Y-%m-%d %H:%M:%S}",
        hundredths,
        _zone_mark(local),
    )


def latest_instant(moment: datetime) -> datetime:
    """The last instant that a time from a provider may mean: in whole seconds, any of that second.

    Our own times, more exact, then come first within the same second: what they tell led to it.
    """
    return moment if moment.microsecond else moment.replace(microsecond=999_999)


def short_time(moment: datetime) -> str:
    """The form for lists: 14:05:32 today, 20 Nov 14:05 this year, 2025-11-20 before.

    If the reader's zone is not the installation's, the offset follows: 14:05:32 UTC+05:45.
    """
    return _short(timezone.localtime(moment))


def _short(local: datetime) -> str:
    today = timezone.localtime()
    mark = _zone_mark(local)
    if local.date() == today.date():
        return f"{local:%H:%M:%S}{mark}"
    if local.year == today.year:
        # Translators: a day of this year and the time, in Django's date format letters.
        day = date_format(local, pgettext("date format", "j M H:i"), use_l10n=False)
        return f"{day}{mark}"
    return f"{local:%Y-%m-%d}{mark}"


def when(moment: datetime | None, *, full: bool = False) -> SafeString:
    """A `<time>` element, or the empty string for None."""
    if moment is None:
        return SafeString("")
    local = timezone.localtime(moment)
    whole = _full(local)
    start = '<time class="full"' if full else "<time"
    return SafeString(
        f'{start} datetime="{local.isoformat(timespec="milliseconds")}" title="{whole}">'
        f"{whole if full else escape(_short(local))}</time>"
    )


def duration(span: timedelta | float | None) -> str:
    """A duration: 0.7 s, 3 min, 5 h 28 min."""
    if span is None:
        return ""
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    minutes = round(seconds / 60)
    if minutes >= 60:
        hours, rest = divmod(minutes, 60)
        return gettext("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}
    if seconds >= 100:
        return gettext("%(minutes)d min") % {"minutes": minutes}
    return gettext("%(seconds)s s") % {"seconds": number_format(seconds, 1, use_l10n=False)}


def rough_duration(span: timedelta | float | None) -> str:
    """An estimated duration. Below 100 s it is in whole seconds, at least 1."""
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    if seconds is None or seconds >= 100:
        return duration(seconds)
    return gettext("%(seconds)s s") % {"seconds": max(1, round(seconds))}


def remaining(span: timedelta | float) -> str:
    """The time left: 7:12, or 0:00 if none is left."""
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    minutes, rest = divmod(max(int(seconds), 0), 60)
    return f"{minutes}:{rest:02}"
