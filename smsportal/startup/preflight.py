"""Everything that must fit before the portal starts: settings, keys, folders, addresses, database.

Nothing is changed. Wrong values of settings have been reported before: they end the process that
loads them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection

from ..configuration.addresses import AddressTaken, parse_bind, require_free
from ..configuration.environment import source_of
from ..processes.programs import WORK
from . import database_errors
from .database_durability import check_durability
from .key_comparison import find_misfits


def find_problems(role: str, *, demo: bool = False) -> Iterator[str]:
    """One line for each reason not to start."""
    yield from _failed_checks()
    yield from _unwritable_folders(role)
    yield from _taken_addresses(role, demo=demo)
    yield from _unusable_database()


def find_warnings() -> Iterator[str]:
    for found in _checked():
        if checks.WARNING <= found.level < checks.ERROR and not found.is_silenced():
            yield _one_line(found)


@cache
def _checked() -> list[checks.CheckMessage]:
    """Django's checks load every page, so they run once in this process."""
    return checks.run_checks()


def _failed_checks() -> Iterator[str]:
    for found in _checked():
        if found.level >= checks.ERROR and not found.is_silenced():
            yield _one_line(found)


def _one_line(found: checks.CheckMessage) -> str:
    words = f"{found.msg} {found.hint or ''}".split()
    return f"{' '.join(words)} ({found.id})"


def _unwritable_folders(role: str) -> Iterator[str]:
    folders = {"DATA_DIR": str(settings.DATA_DIR)}
    if role != WORK:
        folders["STATIC_ROOT"] = settings.STATIC_ROOT
    for name, folder in folders.items():
        existing = next(part for part in (Path(folder), *Path(folder).parents) if _exists(part))
        try:
            with tempfile.TemporaryFile(dir=existing):
                pass
        except OSError as error:
            yield (
                f"{name} (from {source_of(name)}): user id {os.geteuid()} cannot write"
                f" {existing}: {error.strerror}."
            )


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises where this user may not look


def _taken_addresses(role: str, *, demo: bool) -> Iterator[str]:
    names = ([] if role == WORK else ["BIND"]) + (["SANDBOX_BIND"] if demo else [])
    for name in names:
        try:
            require_free(name, parse_bind(os.environ.get(name, "") or settings.BIND))
        except AddressTaken as taken:
            yield str(taken)


def _unusable_database() -> Iterator[str]:
    file = Path(str(connection.settings_dict["NAME"]))
    try:
        # SQLite would create the file.
        if connection.vendor != "sqlite" or file.exists():
            yield from find_misfits()
            yield from find_lossy_servers()
        elif not file.parent.is_dir() and file.parent != Path(settings.DATA_DIR):
            yield f"DATABASE_URL (from {source_of('DATABASE_URL')}): {file.parent} is no folder."
    except DatabaseError as error:
        yield database_errors.explain(error)
    finally:
        connection.close()


def find_lossy_servers() -> Iterator[str]:
    """A server that may lose what it committed (`database_durability`)."""
    for found in check_durability(databases=["default"]):
        if found.is_serious():
            yield _one_line(found)
