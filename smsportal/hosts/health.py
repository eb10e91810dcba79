"""What the page of hosts says about the queue, the database, the hold, backups and disks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django_q.models import OrmQ

from core.admin.labels import Role
from core.punctuation import listed
from core.times import duration, when
from providers import clock
from providers.hold.fence import count_within_past
from providers.hosts import MAX_CLOCK_DIFFERENCE
from providers.models import Fence, Heartbeat, Hold, Host

LATE_AFTER: Final = 30.0
"""Seconds that a task of the queue may wait."""
SILENT_AFTER: Final = timedelta(minutes=5)
"""The queue records that it works every minute."""
FEW_CONNECTIONS: Final = 0.8
"""The part of the server's connections above which the page warns."""
LITTLE_SPACE: Final = 2 * 1024**3
"""Bytes of free disk space below which the page warns."""
ICONS: Final = {Role.SUCCESS: "check_circle", Role.WARNING: "warning", Role.NEUTRAL: "remove"}


@dataclass(frozen=True, slots=True)
class HealthLine:
    """One subject, what is known about it, and a verdict."""

    subject: str
    verdict: str | SafeString
    role: Role
    details: str | SafeString = ""

    @property
    def icon(self) -> str:
        return ICONS[self.role]


def health_lines(running: Sequence[Host]) -> list[HealthLine]:
    lines = [_queue(), _database(), _keys(running), _backup(), _disk(running), _clock(running)]
    return [line for line in (*lines, _hold()) if line is not None]


def _queue() -> HealthLine:
    now = clock.now()
    beat = Heartbeat.objects.filter(name="queue").first()
    due = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"], lock__lte=now).order_by("lock")
    oldest: datetime | None = due.values_list("lock", flat=True).first()
    waited = (now - oldest).total_seconds() if oldest else 0.0
    is_late = waited > LATE_AFTER or beat is None or now - beat.beat_at > SILENT_AFTER
    verdict = (
        _("oldest task waits for %(time)s") % {"time": duration(waited)}
        if oldest
        else _("nothing waits")
    )
    details = (
        SafeString(_("last sign of life %(time)s") % {"time": when(beat.beat_at)})
        if beat
        else _("no sign of life yet")
    )
    return HealthLine(pgettext("health", "Queue"), verdict, _role(is_late), details)


def _role(warns: bool) -> Role:
    return Role.WARNING if warns else Role.SUCCESS


def _database() -> HealthLine:
    return _sqlite() if connection.vendor == "sqlite" else _postgresql()


def _sqlite() -> HealthLine:
    file = Path(str(connection.settings_dict["NAME"]))
    sizes = [path.stat().st_size for path in (file, Path(f"{file}-wal")) if path.exists()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()")
        (version,) = cursor.fetchone()
    return HealthLine(
        pgettext("health", "Database"),
        f"SQLite {version}",
        Role.SUCCESS,
        filesizeformat(sum(sizes)),
    )


def _postgresql() -> HealthLine:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT current_setting('server_version'), pg_database_size(current_database()),
                      current_setting('max_connections')::int,
                      (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
                      (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())"""
        )
        version, size, most, connections, ours = cursor.fetchone()
    details = _("%(ours)d of %(most)d connections, %(all)d with other databases; %(size)s") % {
        "ours": ours,
        "most": most,
        "all": connections,
        "size": filesizeformat(size),
    }
    name = f"PostgreSQL {version.split()[0]}"
    return HealthLine(
        pgettext("health", "Database"), name, _role(connections > FEW_CONNECTIONS * most), details
    )


def _keys(running: Sequence[Host]) -> HealthLine | None:
    keys = {host.keys for host in running if host.keys}
    if not keys:
        return None
    is_same = len(keys) == 1
    verdict = _("same on all hosts") if is_same else _("differ between hosts")
    return HealthLine(pgettext("health", "Keys"), verdict, _role(not is_same), listed(sorted(keys)))


def _backup() -> HealthLine:
    made = Heartbeat.objects.filter(name="backup").first()
    if made is None:
        return HealthLine(pgettext("health", "Backup"), _("none made yet"), Role.NEUTRAL)
    verdict = SafeString(_("last %(time)s") % {"time": when(made.beat_at)})
    return HealthLine(pgettext("health", "Backup"), verdict, Role.SUCCESS, made.detail)


def _disk(running: Sequence[Host]) -> HealthLine | None:
    free = sorted((host.disk_free, host.name) for host in running if host.disk_free is not None)
    if not free:
        return None
    (least, name), *others = free
    verdict = _("%(size)s free on %(host)s") % {"size": filesizeformat(least), "host": name}
    details = listed(f"{other} {filesizeformat(size)}" for size, other in others)
    return HealthLine(pgettext("health", "Disk"), verdict, _role(least < LITTLE_SPACE), details)


def _clock(running: Sequence[Host]) -> HealthLine | None:
    known = [
        (abs(one.clock_difference), one) for one in running if one.clock_difference is not None
    ]
    if not known:
        return None
    most, host = max(known, key=lambda pair: pair[0])
    warns = most > MAX_CLOCK_DIFFERENCE
    verdict = (
        _("%(host)s differs by %(time)s") % {"host": host.name, "time": duration(most)}
        if warns
        else ngettext("agrees with the database", "all agree with the database", len(known))
    )
    details = _("warns above %(time)s; limits use the clock of the database") % {
        "time": duration(MAX_CLOCK_DIFFERENCE)
    }
    return HealthLine(pgettext("health", "Clock"), verdict, _role(warns), details)


def _hold() -> HealthLine:
    hold = Hold.objects.filter(ended_at=None).first()
    fence = Fence.objects.filter(pk=Fence.SINGLETON).first()
    number = count_within_past(fence.counter) if fence else 0
    details = _("counter %(number)d") % {"number": number} if fence else ""
    if hold is None:
        return HealthLine(
            pgettext("health", "Hold"), _("nothing is on hold"), Role.SUCCESS, details
        )
    verdict = SafeString(_("on hold since %(time)s") % {"time": when(hold.started_at)})
    return HealthLine(pgettext("health", "Hold"), verdict, Role.WARNING, details)
