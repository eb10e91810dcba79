"""System checks of the settings of backups."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import time
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution

from . import BackupError, passphrase


@register("smsportal")
def check_backups(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: object
) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not _is_time(settings.BACKUP_AT):
        found.append(
            Error(
                f"BACKUP_AT is “{settings.BACKUP_AT}”; it must be a time such as 03:10, and not"
                " between 02:00 and 03:00, when clocks change.",
                id="smsportal.E070",
            )
        )
    if settings.BACKUP_DIR and (problem := _problem_of(Path(settings.BACKUP_DIR))):
        found.append(
            Caution(
                f"BACKUP_DIR is {settings.BACKUP_DIR}, and {problem}: no backup is made.",
                id="smsportal.W071",
            )
        )
    try:
        passphrase.require_strong(passphrase.configured())
    except BackupError as error:
        found.append(Caution(f"No backup is made. {error}", id="smsportal.W072"))
    return found


def _is_time(text: str) -> bool:
    try:
        at = time.fromisoformat(text)
    except ValueError:
        return False
    return at.hour != 2 and at.tzinfo is None


def _problem_of(folder: Path) -> str:
    """Why no backup can be written there; empty if it can. The first backup makes the folder."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        return f"{existing} is not a folder"
    return "" if os.access(existing, os.W_OK | os.X_OK) else f"{existing} is not writable"
