"""Read the times that providers state: with a time zone, without one, or as Unix time.

A time without a zone is no moment: it could mean any of 24 hours or more. But the difference of
two such times of one answer is exact, and so a lifetime can be read from them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Final

CREATED: Final = "created_at"
EXPIRES: Final = "expired_at"
RECEIVED: Final = "received_at"
"""Names of times in `Rental.raw_times`."""

_YEARS: Final = range(2000, 2101)
"""Other years may overflow a time zone conversion or a database, and are never real times."""
_ZONE: Final = (
    r"(?:\s*(?:(Z|z|UTC|GMT)|(?:UTC|GMT)?([+-][0-9]{1,2}(?::?[0-9]{2})?))(?:\[[\w/+-]+\])?)?"
)
"""`UTC+8`, and the name that Java adds: `+08:00[Asia/Shanghai]`."""
_ISO: Final = re.compile(
    r"([0-9]{4})[-/.]?([0-9]{2})[-/.]?([0-9]{2})(?:\s*[Tt]\s*|\s+)?"
    rf"([0-9]{{2}}):?([0-9]{{2}}):?([0-9]{{2}})(?:[.,]([0-9]{{1,9}}))?{_ZONE}"
)
_SEPARATED: Final = re.compile(
    r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?(?:\s*[Tt]\s*|\s+)?"
    r"([0-9]{1,2})[:：时時点]([0-9]{1,2})"
    rf"(?:[:：分]([0-9]{{1,2}})(?:[.,]([0-9]{{1,9}}))?秒?|分)?{_ZONE}"
)
"""2026年11月28日 18时42分36秒, numbers without a leading zero, and times without seconds."""
LONGEST: Final = 100
"""Characters. A longer text is no time."""
_MAIL: Final = re.compile(
    r"([A-Za-z]{3}, )?[0-9]{1,2} [A-Za-z]{3} [0-9]{4} [0-9:]{8} (GMT|UTC|[+-][0-9]{4})"
)
"""RFC 2822, as in HTTP headers."""
_UNIX: Final = re.compile(r"[0-9]{9,16}(\.[0-9]{1,9})?")
_UNIX_UNITS: Final = (1, 1_000, 1_000_000)
"""Parts of a second that providers count in."""


def time_of(value: object) -> datetime | None:
    """A time that names a moment, in UTC. None for a time without a zone and for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return _from_unix(Decimal(value))
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _UNIX.fullmatch(text) and (read := _from_unix(Decimal(text))):
        return read
    read = _read(text)
    if read is None or read.tzinfo is None:
        return None
    try:
        moment = read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in _YEARS else None


def local_time_of(value: object) -> datetime | None:
    """A time that names no zone, without one. None for anything else."""
    read = _read(value.strip()) if isinstance(value, str) else None
    if read is None or read.tzinfo is not None or read.year not in _YEARS:
        return None
    return read


def lifetime_of(
    created: datetime | None, expires: datetime | None, raw_times: Mapping[str, object]
) -> timedelta | None:
    """The time between two stated times; None unless both are moments, or neither has a zone."""
    if created and expires:
        return expires - created
    if created or expires:
        return None
    begins = local_time_of(raw_times.get(CREATED))
    ends = local_time_of(raw_times.get(EXPIRES))
    return ends - begins if begins and ends else None


def _read(text: str) -> datetime | None:
    if len(text) > LONGEST:
        return None
    found = _ISO.fullmatch(text) or _SEPARATED.fullmatch(text)
    try:
        if found:
            return _from_parts(found)
        return parsedate_to_datetime(text) if _MAIL.fullmatch(text) else None
    except (ValueError, TypeError, OverflowError):
        return None


def _from_parts(found: re.Match[str]) -> datetime:
    *parts, fraction, name, offset = found.groups()
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    micros = int(((fraction or "") + "000000")[:6])
    read = datetime(year, month, day, hour, minute, second, micros)  # noqa: DTZ001 - see below
    if name:
        return read.replace(tzinfo=UTC)
    if offset is None:
        return read
    digits = offset[1:].replace(":", "")
    digits = digits.rjust(2, "0") + "00" if len(digits) <= 2 else digits.rjust(4, "0")
    return datetime.fromisoformat(f"{read.isoformat()}{offset[0]}{digits[:2]}:{digits[2:]}")


def _from_unix(number: Decimal) -> datetime | None:
    """A moment from Unix time in seconds, milliseconds or microseconds, by its size."""
    for unit in _UNIX_UNITS:
        try:
            seconds = number / unit
            read = datetime.fromtimestamp(int(seconds), UTC)
            read += timedelta(microseconds=int(seconds % 1 * 1_000_000))
        except (ValueError, OverflowError, OSError, InvalidOperation):
            continue
        if read.year in _YEARS:
            return read
    return None
