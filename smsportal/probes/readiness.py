"""Whether this host can serve staff and providers, and what of the whole portal needs attention."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from threading import Lock
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from providers import clock
from providers.engine.heartbeats import unserved_since
from providers.models import Account, Heartbeat, Hold

from ..frame.banners import total_backlog
from ..hosts.health import LITTLE_SPACE, SILENT_AFTER
from ..startup.key_comparison import find_misfits

READ_EVERY: Final = 1.0
"""Seconds for which an answer is given again, since anyone may ask as often as they like."""
KEYS_EVERY: Final = 60.0
NO_SPACE: Final = 100 * 1024**2
"""Bytes of free disk space below which the portal cannot work."""


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Status(StrEnum):
    READY = "ready"
    DEGRADED = "degraded"
    """This host serves requests, but something of the portal needs attention."""
    NOT_READY = "not ready"


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    level: Level
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    checks: tuple[Check, ...]

    @property
    def status(self) -> Status:
        levels = {check.level for check in self.checks}
        if Level.FAILED in levels:
            return Status.NOT_READY
        return Status.DEGRADED if Level.WARNING in levels else Status.READY

    def as_json(self, *, details: bool) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "status": str(self.status),
            "checks": {check.name: str(check.level) for check in self.checks},
        }
        if details:
            answer["details"] = {check.name: check.detail for check in self.checks if check.detail}
        return answer


def read() -> Readiness:
    """The readiness of this host, at most a second old."""
    return _memory.read()


class _Memory:
    """The last answer of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: Readiness | None = None
        self._until = 0.0

    def read(self) -> Readiness:
        with self._lock:
            if self._found is None or time.monotonic() >= self._until:
                self._found = Readiness(tuple(find_checks()))
                self._until = time.monotonic() + READ_EVERY
            return self._found

    def forget(self) -> None:
        self._found = None


_memory = _Memory()


def forget() -> None:
    """Read everything again the next time, for tests."""
    _memory.forget()
    _key_level.cache_clear()


def find_checks() -> Iterator[Check]:
    """Each check, without those of the database's content if it does not answer."""
    yield _disk()
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        yield Check("database", Level.OK)
        for check in (_migrations, _keys, _queue, _engine, _backlog, _hold):
            yield check()
    except DatabaseError as error:
        # The message may name the server and the user.
        yield Check("database", Level.FAILED, type(error).__name__)
        connection.close()


def _disk() -> Check:
    try:
        free = shutil.disk_usage(settings.DATA_DIR).free
    except OSError as error:
        return Check("disk", Level.FAILED, error.strerror or "cannot be read")
    level = Level.FAILED if free < NO_SPACE else Level.WARNING if free < LITTLE_SPACE else Level.OK
    return Check("disk", level, f"{free // 1024**2} MB free")


def _migrations() -> Check:
    applied = MigrationRecorder(connection).applied_migrations()
    missing = sorted(f"{app}.{name}" for app, name in _known_migrations() - applied.keys())
    if not missing:
        return Check("migrations", Level.OK)
    return Check("migrations", Level.FAILED, f"not applied: {', '.join(missing[:5])}")


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    """Those of this version. They do not change while it runs."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def _keys() -> Check:
    level, detail = _key_level(int(time.monotonic() // KEYS_EVERY))
    return Check("keys", level, detail)


@lru_cache(maxsize=1)
def _key_level(_minute: int) -> tuple[Level, str]:
    misfits = list(find_misfits())
    if not misfits:
        return Level.OK, ""
    return Level.FAILED, "the keys of this host are not those of the database"


def _queue() -> Check:
    beat = Heartbeat.objects.filter(name="queue").first()
    if beat is None:
        return Check("queue", Level.WARNING, "has never worked")
    level = Level.WARNING if clock.now() - beat.beat_at > SILENT_AFTER else Level.OK
    return Check("queue", level, f"last sign of life {_ago(beat.beat_at)}")


def _engine() -> Check:
    since = unserved_since()
    if since is None or not Account.objects.exists():
        return Check("engine", Level.OK)
    return Check("engine", Level.WARNING, f"no account is served; last {_ago(since)}")


def _backlog() -> Check:
    waiting = total_backlog()
    if waiting.since is None:
        return Check("backlog", Level.OK)
    level = Level.WARNING if waiting.is_unusual else Level.OK
    count = waiting.messages + waiting.orders
    return Check("backlog", level, f"{count} due; the oldest became due {_ago(waiting.since)}")


def _hold() -> Check:
    hold = Hold.objects.filter(ended_at=None).first()
    if hold is None:
        return Check("hold", Level.OK)
    return Check("hold", Level.WARNING, f"began {_ago(hold.started_at)}")


def _ago(moment: datetime) -> str:
    return f"{max(0, round((clock.now() - moment).total_seconds()))} s ago"
