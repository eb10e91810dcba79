"""What a hold knows about the past of its database: a reader of `Hold.details`.

`providers.hold.verdict.Evidence` writes it. A value that was not recorded is None or empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from core.models import Act

from ..hold import fence
from ..models import ApiCall, Hold
from .labels import FREE_OPERATIONS

RESTORED: Final = "backup.restore"
"""The act of the command that restores backups."""
PACE_PERIOD: Final = timedelta(hours=24)
MIN_PACE: Final = 20
"""Calls in that period, below which an estimate would say nothing."""


@dataclass(frozen=True, slots=True)
class Past:
    """What was known when the hold began."""

    backup_at: datetime | None
    """When the restored backup was made."""
    backup_version: str
    backup_messages: int | None
    restored_at: datetime | None
    restored_from: str
    host: str
    """Where the portal noticed it."""
    newest_sign: datetime | None
    """The last sign of life of an engine in this database, or the last start."""
    counter: int | None
    file_counter: int | None
    """The highest counter in a file."""
    in_use_at: datetime | None
    """When that counter was noted: the newer database was in use at least until then."""

    @property
    def is_behind(self) -> bool:
        """Whether a newer database was in use."""
        if self.counter is None or self.file_counter is None:
            return False
        return self.counter < self.file_counter

    @property
    def counts(self) -> tuple[int, int] | None:
        """The counts of the newer database and of this one, if they belong to the same past."""
        if not self.is_behind or self.counter is None or self.file_counter is None:
            return None
        same = fence.past_of(self.counter) == fence.past_of(self.file_counter)
        return (
            (fence.count_within_past(self.file_counter), fence.count_within_past(self.counter))
            if same
            else None
        )

    @property
    def lacks_calls(self) -> bool:
        """Whether calls were started that this database does not know.

        A new past alone, which begins with each hold, is no call.
        """
        if self.counts is not None:
            return True
        return (
            self.is_behind
            and self.file_counter is not None
            and fence.count_within_past(self.file_counter) > 0
        )

    @property
    def missing(self) -> tuple[datetime, datetime] | None:
        """The period whose records are missing, if both its ends are known."""
        begin, end = self.backup_at, self.in_use_at
        return (begin, end) if self.is_behind and begin and end and begin < end else None


def past_of(hold: Hold) -> Past:
    known = _first_evidence(hold)
    backup = _backup(_text(known.get("restored_from")), hold)
    counts = _dict(backup.get("counts"))
    copies = [copy for name in ("data", "state") if isinstance(copy := known.get(name), dict)]
    newest: dict[str, object] = max(
        copies, key=lambda copy: _number(copy.get("counter")) or 0, default={}
    )
    return Past(
        backup_at=_time(backup.get("made_at")),
        backup_version=_text(backup.get("version")),
        backup_messages=_number(counts.get("messaging_message")),
        restored_at=_time(known.get("restored_at")),
        restored_from=_text(known.get("restored_from")),
        host=_text(known.get("host")),
        newest_sign=_time(known.get("newest_sign")),
        counter=_number(known.get("counter")),
        file_counter=_number(newest.get("counter")),
        in_use_at=_time(newest.get("written_at")),
    )


def _first_evidence(hold: Hold) -> dict[str, object]:
    """Why the hold began. Later entries say why more rows joined it."""
    entries = _dict(hold.details).get("evidence")
    return _dict(entries[0]) if isinstance(entries, list) and entries else {}


def _backup(name: str, hold: Hold) -> dict[str, object]:
    """What the command noted that restored this backup; empty if none was restored by it."""
    if not name:
        return {}
    acts = Act.objects.filter(what=RESTORED, at__lte=hold.started_at).order_by("-at", "-pk")
    newest = acts.values_list("details", flat=True).first()
    details = _dict(newest)
    return details if details.get("backup") == name else {}


def calls_before(moment: datetime) -> int:
    """The calls that may cost something in the day before `moment`, as far as they are kept."""
    rows = ApiCall.objects.filter(started_at__gte=moment - PACE_PERIOD, started_at__lt=moment)
    return rows.exclude(operation__in=FREE_OPERATIONS).order_by().count()


def _time(value: object) -> datetime | None:
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if found is not None and timezone.is_naive(found):
        return found.replace(tzinfo=UTC)
    return found


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
