"""`manage.py move_database`: move the portal from SQLite to PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from smsportal.moves import MoveError
from smsportal.moves.move import Moved, move
from smsportal.startup.database_errors import explain


class Command(BaseCommand):
    help = (
        "Move the portal from SQLite to the empty PostgreSQL database in DATABASE_URL. The portal"
        " must be stopped. All rows are copied, read back and compared. If anything differs,"
        " nothing is moved. The SQLite file is kept under another name."
    )
    # It must run on an empty database.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from",
            dest="file",
            metavar="FILE",
            help="The SQLite file. Default: portal.sqlite3 in DATA_DIR.",
        )
        parser.add_argument(
            "--without-sessions",
            action="store_true",
            help="Leave sessions behind, so that everybody signs in again.",
        )

    def handle(self, *args: object, **options: Any) -> None:
        path = Path(options["file"] or Path(settings.DATA_DIR) / "portal.sqlite3")
        try:
            moved = move(path, with_sessions=not options["without_sessions"], report=self._print)
        except MoveError as error:
            raise CommandError(f"Nothing was moved. {error}") from None
        except DatabaseError as error:
            raise CommandError(f"Nothing was moved. {explain(error)}") from None
        except OSError as error:
            raise CommandError(f"{error.filename or path}: {error.strerror}.") from None
        self._report(moved)

    def _print(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _report(self, moved: Moved) -> None:
        width = max(len(one.table.name) for one in moved.tables)
        self.stdout.write(f"{'table':{width}} {'rows':>12}  checksum, equal on both sides")
        for one in moved.tables:
            self.stdout.write(
                f"{one.table.name:{width}} {one.digest.rows:>12,}  {one.digest.shown}"
            )
        for one in moved.tables:
            for column, count in one.replaced.counts.items():
                self.stdout.write(
                    f"{one.table.name}.{column}: {count:,} values had null characters or halves of"
                    " characters, which PostgreSQL does not store. They are written as ␀ and as"
                    " escapes."
                )
        if moved.left:
            self.stdout.write(f"Left behind as told: {', '.join(moved.left)}.")
        self.stdout.write(f"The SQLite file is kept, unchanged: {moved.kept}")
        if moved.next_start:
            self.stdout.write(
                f"At its next start the portal puts what waits on hold: {moved.next_start}. A"
                " manager decides about it on the page “What waits”."
            )
        self.stdout.write("Next: start the portal with this DATABASE_URL.")
