"""`manage.py restore`: put a backup in the place of the database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from smsportal.backup import BackupError, manifest, passphrase, store
from smsportal.backup.restore import Request, Restored, restore


class Command(BaseCommand):
    help = (
        "Put a backup in the place of the database, which is kept beside it. The portal must be"
        " stopped on every host. What was waiting in the backup is put on hold at the next start."
    )
    # It must run where the database is damaged and the keys are missing.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", help="Its folder, or its name in BACKUP_DIR.")
        parser.add_argument("--yes", action="store_true", help="Replace what is there.")
        parser.add_argument(
            "--keys", action="store_true", help="Also put the keys of the backup in place."
        )
        parser.add_argument(
            "--other-keys",
            action="store_true",
            help="Go on although the keys here do not fit, so that secrets cannot be read.",
        )
        parser.add_argument(
            "--passphrase-file",
            metavar="FILE",
            help="Default: BACKUP_PASSPHRASE_FILE, BACKUP_PASSPHRASE in the environment, or asked.",
        )

    def handle(self, *args: object, **options: Any) -> None:
        parent = Path(settings.BACKUP_DIR) if settings.BACKUP_DIR else None
        try:
            folder = store.locate(options["backup"], parent)
            request = Request(
                folder,
                _passphrase(folder, options["passphrase_file"]),
                with_keys=options["keys"],
                accept_other_keys=options["other_keys"],
            )
            done = restore(request, lambda text: options["yes"] or self._confirm(text))
        except (BackupError, DatabaseError) as error:
            raise CommandError(str(error).strip()) from None
        except OSError as error:
            raise CommandError(
                f"{error.filename or options['backup']}: {error.strerror}."
            ) from None
        self._report(done)

    def _confirm(self, text: str) -> bool:
        if not sys.stdin.isatty():
            return False
        self.stdout.write(text)
        return input("Put the backup in its place? Type yes: ").strip() == "yes"

    def _report(self, done: Restored) -> None:
        self.stdout.write(f"Restored {done.manifest.name}, made at {done.manifest.made_at}.")
        if done.kept:
            self.stdout.write(f"What was there before is kept: {done.kept}")
        if done.kept_keys:
            self.stdout.write(f"The former keys are kept: {done.kept_keys}")
        self.stdout.write(
            "Next: start the portal. What was waiting in the backup is not sent by itself: it is"
            " on the page “What waits”, where a manager decides."
        )


def _passphrase(folder: Path, file: str | None) -> str:
    found = passphrase.configured(file)
    encrypted = any(entry.encrypted for entry in manifest.read(folder).files.values())
    return found or (passphrase.ask() if encrypted else "")
