"""The SQLite file that is moved: nobody else has it open, and it is complete."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.db import OperationalError, connections
from django.db.migrations.executor import MigrationExecutor

from providers.engine.heartbeats import LOOP_TIMEOUT
from providers.models import Fence, Heartbeat, Host
from providers.models.engine import LOOP_PREFIX
from smsportal.backup import BackupError, manifest, sqlite
from smsportal.backup.contents import SQLITE_TABLES
from smsportal.startup.start_lock import hold_file_lock

from . import MoveError

ALIAS: Final = "moved_sqlite"
"""The name of its connection in this process."""
SEEN_WITHIN: Final = timedelta(seconds=30)
RUNNING: Final = "The portal is running on the SQLite database. Stop it first."
SETTINGS: Final[dict[str, Any]] = {
    "ENGINE": "django.db.backends.sqlite3",
    "OPTIONS": {"timeout": 5},
    "CONN_MAX_AGE": None,
}


@contextmanager
def open_source(path: Path, report: Callable[[str], None]) -> Iterator[None]:
    """Let `ALIAS` lead to the file, which nobody else can read or write within the block.

    Raises `MoveError` if the portal runs on it, or if it is not whole or of another version.
    """
    if not path.is_file():
        raise MoveError(f"There is no file {path}.")
    with hold_file_lock(Path(f"{path}.start-lock"), report):
        _take_alone(path)
        connections.settings[ALIAS] = connections.configure_settings(
            {"default": {**SETTINGS, "NAME": str(path)}}
        )["default"]
        try:
            with connections[ALIAS].cursor() as cursor:
                cursor.execute("BEGIN EXCLUSIVE")
                _require_version()
                _require_stopped()
                yield
                cursor.execute("ROLLBACK")
        except OperationalError as error:
            if "locked" in str(error):
                raise MoveError(RUNNING) from None
            raise
        finally:
            connections[ALIAS].close()
            del connections[ALIAS], connections.settings[ALIAS]


def _take_alone(path: Path) -> None:
    """A change of the journal's mode needs the file alone. It also empties the log into the file,
    so that an exclusive transaction keeps readers out, too."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as opened:
            sqlite.make_self_contained(opened)
        found = sqlite.verify(path)
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise MoveError(RUNNING) from None
        raise MoveError(f"{path} cannot be opened: {error}.") from None
    except (sqlite3.DatabaseError, BackupError) as error:
        raise MoveError(f"{path} is damaged: {error}") from None
    if not found.is_portal:
        raise MoveError(f"{path} is not a database of the portal.")


def _require_version() -> None:
    """Rows of an earlier version may have other columns and other words."""
    executor = MigrationExecutor(connections[ALIAS])
    if missing := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise MoveError(
            f"The SQLite database is of an earlier version ({len(missing)} migrations are missing)."
            " Start this version on it once, stop it, and move it then."
        )
    applied = [f"{app}.{name}" for app, name in executor.loader.applied_migrations]
    if unknown := manifest.unknown_migrations(applied):
        raise MoveError(f"The SQLite database is of a later version, which made {unknown[0]}.")


def _require_stopped() -> None:
    now = datetime.now(UTC)
    loops = Heartbeat.objects.using(ALIAS).filter(name__startswith=LOOP_PREFIX)
    if loops.filter(beat_at__gt=now - LOOP_TIMEOUT, beat_at__lt=now + LOOP_TIMEOUT).exists():
        raise MoveError(f"{RUNNING} An engine loop gave a sign of life just now.")
    hosts = Host.objects.using(ALIAS).filter(stopped_at=None, seen_at__gt=now - SEEN_WITHIN)
    if names := ", ".join(hosts.values_list("name", flat=True)):
        raise MoveError(f"{RUNNING} Seen just now: {names}.")


def sequences() -> dict[str, int]:
    """The highest id that each table has ever given out. Ids of deleted rows stay in records."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("SELECT name, seq FROM sqlite_sequence")
        return {str(name): int(value) for name, value in cursor.fetchall()}


def unknown_tables(known: set[str]) -> list[str]:
    """Tables with rows that no app of this version has."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(SQLITE_TABLES)
        others = [str(name) for (name,) in cursor.fetchall() if name not in known]
        found = []
        for name in others:
            quoted = connections[ALIAS].ops.quote_name(name)
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {quoted})")  # noqa: S608
            found += [name] if cursor.fetchone()[0] else []
    return found


def fence() -> Fence | None:
    return Fence.objects.using(ALIAS).filter(pk=Fence.SINGLETON).first()
