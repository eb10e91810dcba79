"""Where the passphrase of a backup comes from: a file, the settings, or a person. Never argv,
which every user of the machine can read."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Final

from django.conf import settings

from . import BackupError

MIN_LENGTH: Final = 12


def configured(file: str | None = None) -> str:
    """The passphrase in this file, or else in the settings; empty if there is none."""
    named = file or settings.BACKUP_PASSPHRASE_FILE
    if not named:
        return str(settings.BACKUP_PASSPHRASE)
    try:
        found = Path(named).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise BackupError(f"The passphrase in {named} cannot be read: {reason}.") from None
    if not found:
        raise BackupError(f"There is no passphrase in {named}.")
    return found


def require_strong(passphrase: str) -> None:
    if passphrase and len(passphrase) < MIN_LENGTH:
        raise BackupError(f"The passphrase must have at least {MIN_LENGTH} characters.")


def ask() -> str:
    """Ask the person at the terminal; empty if there is none."""
    return getpass.getpass("Passphrase of the backup: ") if sys.stdin.isatty() else ""
