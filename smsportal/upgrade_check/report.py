"""What an administrator reads before an upgrade."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from smsportal.backup.tasks import newest_backup
from smsportal.version import portal_version

from .costs import Wait
from .plan import Step, database_size, forget_sizes, steps, unknown_migrations

BACKUP_WITHIN: Final = timedelta(hours=24)
RESERVE: Final = 1.2
"""Free space, as a multiple of what the migrations need."""
SQLITE_LOG: Final = 2
"""On SQLite what is written is in the write-ahead log first, and then in the file as well."""


@dataclass(slots=True)
class Report:
    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What must be done before the upgrade."""


def make_report() -> Report:
    """Reads the database only. Raises `DatabaseError`."""
    report = Report()
    if _is_missing():
        report.lines.append("There is no database yet. The first start makes it.")
        return report
    forget_sizes()
    found = steps()
    report.lines += [_heading(), *_plan(found)]
    if unknown := unknown_migrations():
        report.problems.append(
            f"The database is of a newer version, which made {unknown[0]}. This one must not run"
            " on it: install the newer one, or restore a backup of this one."
        )
    if found:
        report.lines += [_beside(found), *_locks(found)]
        report.problems += _lacking_space(found, report)
        report.problems += _lacking_backup(report)
    return report


def _is_missing() -> bool:
    """SQLite would make the file."""
    return connection.vendor == "sqlite" and not Path(connection.settings_dict["NAME"]).exists()


def _heading() -> str:
    kind = "SQLite" if connection.vendor == "sqlite" else "PostgreSQL"
    size = _bytes(database_size())
    return f"Version {portal_version()} on {kind}, {size}. Nothing is changed by this check."


def _plan(found: list[Step]) -> Iterator[str]:
    if not found:
        yield "No migration is to come: the upgrade only restarts the portal."
        return
    yield f"Migrations to come: {len(found)}"
    for step in found:
        yield f"  {step.name}: {_described(step)}"
    total = sum(step.seconds for step in found)
    yield f"Together {_about(total)} and {_bytes(sum(step.space for step in found))}."


def _described(step: Step) -> str:
    if step.unclear:
        return step.unclear
    if not step.costs:
        return "at once"
    parts: dict[tuple[str, str], int] = {}
    for cost in step.costs:
        parts[cost.table, cost.what] = parts.get((cost.table, cost.what), 0) + 1
    texts = [
        f"{table or 'data'} {what}{f' ({count} times)' if count > 1 else ''}"
        for (table, what), count in parts.items()
    ]
    return f"{_about(step.seconds)}: {'; '.join(texts)}"


def _beside(found: list[Step]) -> str:
    contracts = [one for step in found for one in step.contracts]
    if connection.vendor == "sqlite":
        return "On SQLite the portal is stopped during the upgrade."
    if contracts:
        return (
            "Stop the version before on every host first. It would miss what is taken away:"
            f" {'; '.join(contracts)}."
        )
    return "The version before may go on beside it: the migrations only add to what it uses."


def _locks(found: list[Step]) -> Iterator[str]:
    """Those for a second and longer."""
    waits: dict[Wait, dict[str, float]] = {}
    for step in found:
        for cost in step.costs:
            if cost.table and cost.wait != Wait.NOTHING:
                tables = waits.setdefault(cost.wait, {})
                tables[cost.table] = tables.get(cost.table, 0.0) + cost.seconds
    long = [
        (wait, ", ".join(f"{table} {_seconds(time)}" for table, time in sorted(tables.items())))
        for wait, found_tables in sorted(waits.items())
        if (tables := {table: time for table, time in found_tables.items() if time >= 1})
    ]
    yield from (f"Locked ({wait}): {named}" for wait, named in long)
    if not long:
        yield "No table is locked for a second or longer."


def _lacking_space(found: list[Step], report: Report) -> Iterator[str]:
    needed = int(sum(step.space for step in found) * RESERVE)
    if connection.vendor != "sqlite":
        report.lines.append(
            f"The server's disk needs {_bytes(needed)} free. See for yourself: it cannot be asked."
        )
        return
    needed *= SQLITE_LOG
    folder = Path(connection.settings_dict["NAME"]).parent
    free = shutil.disk_usage(folder).free
    report.lines.append(f"{folder} has {_bytes(free)} free; needed: {_bytes(needed)}.")
    if free < needed:
        yield f"{folder} has {_bytes(free)} free, and the upgrade needs {_bytes(needed)}."


def _lacking_backup(report: Report) -> Iterator[str]:
    if not settings.BACKUP_DIR:
        report.lines.append("BACKUP_DIR is not set. Make a backup in another way first.")
        return
    newest = newest_backup()
    if newest is None:
        yield f"There is no backup in {settings.BACKUP_DIR}. Make one: manage.py backup"
        return
    age = timezone.now() - newest
    report.lines.append(f"The last backup was made {age.total_seconds() / 3600:.1f} hours ago.")
    if age > BACKUP_WITHIN:
        yield "The last backup is older than a day. Make one: manage.py backup"


def _about(seconds: float) -> str:
    return _seconds(seconds) if seconds < 1 else f"about {_seconds(seconds)}"


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return "less than 1 s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _bytes(count: int) -> str:
    return str(filesizeformat(count)).replace("\xa0", " ")
