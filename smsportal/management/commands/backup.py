"""`manage.py backup`: copy the database and the keys while the portal runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from smsportal.backup import BackupError, keys, passphrase
from smsportal.backup.contents import describe
from smsportal.backup.make import Made, make


class Command(BaseCommand):
    help = (
        "Make a backup of the portal, which may be running. With a passphrase, everything in it"
        " is encrypted; without one, the keys are left out."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", metavar="FOLDER", help="Default: BACKUP_DIR.")
        parser.add_argument(
            "--keep",
            type=int,
            metavar="N",
            help="Remove all but the newest N backups of this portal there, after the new one was"
            " verified. 0 keeps all. Default: BACKUP_KEEP in BACKUP_DIR, and 0 elsewhere.",
        )
        parser.add_argument(
            "--passphrase-file",
            metavar="FILE",
            help="Default: BACKUP_PASSPHRASE_FILE, or BACKUP_PASSPHRASE in the environment.",
        )
        parser.add_argument("--without-keys", action="store_true", help="Leave the keys out.")

    def handle(self, *args: object, **options: Any) -> None:
        parent = options["to"] or settings.BACKUP_DIR
        if not parent:
            raise CommandError("Name a folder with --to, or set BACKUP_DIR.")
        keep = options["keep"]
        if keep is None:
            keep = 0 if options["to"] else settings.BACKUP_KEEP
        if keep < 0:
            raise CommandError("--keep must be 0 or more.")
        try:
            phrase = passphrase.configured(options["passphrase_file"])
            passphrase.require_strong(phrase)
            made = make(
                Path(parent), passphrase=phrase, with_keys=not options["without_keys"], keep=keep
            )
        except (BackupError, DatabaseError) as error:
            raise CommandError(str(error).strip()) from None
        except OSError as error:
            raise CommandError(f"{error.filename or parent}: {error.strerror}.") from None
        self._report(made)

    def _report(self, made: Made) -> None:
        size = sum(entry.size for entry in made.manifest.files.values())
        contents = describe(made.manifest.counts, made.manifest.newest)
        self.stdout.write(f"The backup is in {made.folder} ({size:,} bytes), verified: {contents}.")
        if made.manifest.keys_file:
            self.stdout.write("Database and keys are encrypted with the passphrase.")
        else:
            self.stdout.write(
                f"THE KEYS ARE NOT IN IT. They are in {keys.where()}: keep a copy elsewhere,"
                " since without them no stored provider secret can be read."
            )
        for name in made.removed:
            self.stdout.write(f"Removed: {name}")
