"""What a start of the portal does to the database before any of its processes run."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django_q.tasks import async_task

from privacy import restored
from providers.engine import wake
from providers.hold import verdict

from .first_admin import create_first_admin
from .key_comparison import require_fitting_keys
from .start_lock import hold_start_lock

logger = logging.getLogger(__name__)


def prepare_database(report: Callable[[str], None]) -> None:
    """Bring the database up to this version. One start at a time does so, on all hosts.

    Raises `KeysDoNotFit` and `FirstAdminRefused`. `report` is called for a wait for another start.
    """
    with hold_start_lock(report):
        # Before anything is changed, and afterwards to record the keys of a new database.
        require_fitting_keys(record=False)
        call_command("migrate", interactive=False, verbosity=0)
        if line := verdict.decide_at_start().text:
            report(line)
        call_command("createcachetable", verbosity=0)
        _close_to_others()
        require_fitting_keys()
        create_first_admin(report)
        _erase_again()


def _erase_again() -> None:
    """A fault here must not keep the portal from sending. The next start tries again."""
    try:
        restored.erase_again()
    except Exception:
        logger.exception("Numbers that a restored backup brought back could not be erased")


def _close_to_others() -> None:
    """Take SQLite's files from other users, who may read them if the folder existed before."""
    if connection.vendor != "sqlite":
        return
    name = str(connection.settings_dict["NAME"])
    for file in (Path(f"{name}{ending}") for ending in ("", "-wal", "-shm")):
        with contextlib.suppress(OSError):
            file.chmod(file.stat().st_mode & ~0o007)


def start_work() -> None:
    """Queue what the clusters of this host do first."""
    wake.keep_running()
    async_task("providers.tasks.beat")
