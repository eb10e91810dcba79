"""Move the portal: copy, read back, compare, and only then let PostgreSQL have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from core.acts import record_act
from providers.hold import fence_files, verdict
from providers.models import Fence, TaskLease
from smsportal.backup import BackupError, store
from smsportal.backup.other_connection import connected_to
from smsportal.startup.start_lock import hold_start_lock

from . import MoveError, source, tables
from .source import ALIAS
from .tables import SESSIONS, Copied, Table
from .target import Target, set_sequences, without_guards

MARK: Final = "move from SQLite"

Report = Callable[[str], None]


@dataclass(slots=True)
class Moved:
    tables: list[Copied]
    kept: Path
    """Where the SQLite file is now."""
    next_start: str = ""
    """What the next start says about the past of the database; empty if it trusts it."""
    left: list[str] = field(default_factory=list)
    """Tables that were not copied, because they were told to stay."""


def move(path: Path, *, with_sessions: bool = True, report: Report = lambda _: None) -> Moved:
    """Move the portal from this SQLite file to the database of DATABASE_URL.

    `report` receives a line for each wait and each large table. Raises `MoveError`; PostgreSQL is
    then empty, as it was, and the file unchanged.
    """
    if connection.vendor != "postgresql":
        raise MoveError(
            "DATABASE_URL names an SQLite database. Set it to the PostgreSQL database that the"
            " portal moves to; --from names the SQLite file."
        )
    now = datetime.now(UTC)
    target = Target(now)
    target.require_empty()
    try:
        with source.open_source(path, report), hold_start_lock(report):
            target.require_empty()
            with target.empty_stage():
                with connected_to(target.staged_settings()):
                    target.require_staged()
                    moved = _fill(path, with_sessions, report)
                target.adopt()
    except BackupError as error:
        raise MoveError(str(error)) from None
    except IntegrityError as error:
        raise MoveError(f"The rows do not fit together: {str(error).strip()}") from None
    moved.kept = _put_aside(path, now)
    return moved


def make_tables() -> None:
    call_command("migrate", interactive=False, verbosity=0)


def _fill(path: Path, with_sessions: bool, report: Report) -> Moved:
    report("Making the tables.")
    make_tables()
    every = tables.all_tables()
    left = [] if with_sessions else [SESSIONS]
    wanted = [one for one in every if one.name not in left]
    if unknown := source.unknown_tables({one.name for one in every}):
        raise MoveError(
            "The SQLite database has tables that no part of the portal knows:"
            f" {', '.join(unknown)}. Keep their rows elsewhere and drop them first."
        )
    with transaction.atomic():
        with without_guards(every):
            copied = [_copy(one, report) for one in wanted]
        set_sequences(every, source.sequences())
        for one in copied:
            _require_equal(one)
        next_start = _mark(path, copied)
    return Moved(copied, path, next_start, left)


def _copy(table: Table, report: Report) -> Copied:
    before = tables.filled(table, ALIAS)
    if before[0] >= tables.CHUNK * 10:
        report(f"Copying {before[0]:,} rows of {table.name}.")
    copied = tables.copy(table)
    if (after := tables.filled(table, connection.alias)) != before:
        raise MoveError(
            f"{table.name} differs: {', '.join(_differing(table, before, after))}. A value there is"
            " not of its column's kind, so that it cannot be read."
        )
    return copied


def _differing(table: Table, before: tuple[int, ...], after: tuple[int, ...]) -> list[str]:
    names = ("rows", *(column.name for column in table.columns))
    return [
        f"{name} {one:,} in SQLite and {other:,} in PostgreSQL"
        for name, one, other in zip(names, before, after, strict=True)
        if one != other
    ]


def _require_equal(copied: Copied) -> None:
    found = tables.digest_of(copied.table)
    if found != copied.digest:
        raise MoveError(
            f"{copied.table.name} is not the same in PostgreSQL: {copied.digest.rows:,} rows with"
            f" the checksum {copied.digest.shown} in SQLite, {found.rows:,} with {found.shown}"
            " there."
        )


def _mark(path: Path, copied: list[Copied]) -> str:
    """Record the move. Returns what the next start will say about the database.

    Where no file of this host knows the counter of the fence, nothing shows that the SQLite file
    is the newest one. Then what waits is held, as after a restore.
    """
    TaskLease.objects.update(holder="", expires_at=0)
    row = Fence.objects.filter(pk=Fence.SINGLETON).first()
    copies = fence_files.read()
    if row is not None and row.counter > 0 and not any(copies.values()):
        row.restored_at, row.restored_from = datetime.now(UTC), MARK
        row.save(update_fields=["restored_at", "restored_from"])
    record_act(
        "database.move",
        by=None,
        file=path.name,
        rows=sum(one.digest.rows for one in copied),
        checksums={one.table.name: one.digest.shown for one in copied if one.digest.rows},
    )
    if row is None:
        return ""
    _, cause = verdict.decide(verdict.gather(row, copies))
    return verdict.WHY[cause] if cause else ""


def _put_aside(path: Path, now: datetime) -> Path:
    """Rename the file, so that no start works on it by mistake. Where that fails, it stays."""
    kept = path.with_name(f"{path.name}.moved-{now:%Y%m%dT%H%M%SZ}")
    try:
        path.rename(kept)
        store.sync_folder(path.parent)
    except OSError:
        return path
    return kept
