"""The scheduled backup."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import timezone

from providers.models import Heartbeat, heartbeat
from smsportal.configuration.environment import BASE_DIR

from . import keys, store

STARTED: Final = "backup started"
RETRY_AFTER: Final = timedelta(hours=1)

logger = logging.getLogger(__name__)


def start_when_due() -> bool:
    """Start a backup if the last one in BACKUP_DIR is older than the latest BACKUP_AT.

    Asked every few minutes on whichever host runs the task. So a portal that was off at that time
    catches up, a failed backup is tried again, and hosts without a BACKUP_DIR leave it to others.
    """
    if not settings.BACKUP_DIR or not is_due(timezone.localtime()):
        return False
    heartbeat(STARTED)
    start()
    return True


def is_due(now: datetime) -> bool:
    newest = newest_backup()
    if newest and newest >= latest_time(now):
        return False
    started = Heartbeat.objects.filter(name=STARTED, beat_at__gt=now - RETRY_AFTER)
    return not started.exists()


def newest_backup() -> datetime | None:
    """When the newest in BACKUP_DIR was made. One that was created elsewhere does not count."""
    try:
        found = store.verified(Path(settings.BACKUP_DIR), keys.digests(keys.current()))
    except OSError:
        return None
    return found[-1][1].made if found else None


def latest_time(now: datetime) -> datetime:
    """The newest moment that was BACKUP_AT by the wall clock."""
    today = datetime.combine(now.date(), time.fromisoformat(settings.BACKUP_AT), now.tzinfo)
    return today if today <= now else today - timedelta(days=1)


def start() -> None:
    """Run the command in a process and a session of its own.

    The queue kills a task after 90 seconds, and a copy may take longer. Stopping the portal does
    not end it either.
    """
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, str(BASE_DIR / "manage.py"), "backup"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    threading.Thread(target=_report_end, args=[process], daemon=True).start()


def _report_end(process: subprocess.Popen[bytes]) -> None:
    """Wait, so that no zombie is left, and let the log say that a backup failed."""
    if code := process.wait():
        logger.error("The backup failed with code %s. Its reason is in the line before.", code)
