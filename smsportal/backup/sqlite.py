"""SQLite: copy the database while the portal runs, and put a copy in its place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import connection

from . import BackupError, store
from .contents import SQLITE_TABLES, Contents, Read, examine

SUFFIXES: Final = ("", "-wal", "-shm", "-journal")
HEADER: Final = b"SQLite format 3\0"
IN_USE: Final = "Another process has the database open. Stop the portal on this host first."


def database_path() -> Path:
    return Path(str(connection.settings_dict["NAME"]))


def copy(source: Path, target: Path) -> Contents:
    """Copy the database into a new file, as of one moment. Returns what it held at that moment.

    One read transaction spans counting and copying. In WAL mode it blocks no writer.
    """
    with (
        closing(sqlite3.connect(_uri(source), uri=True, timeout=20)) as opened,
        closing(sqlite3.connect(target)) as copied,
    ):
        opened.isolation_level = None
        opened.execute("BEGIN")
        found = examine(_reader(opened), SQLITE_TABLES)
        # In one step: between two, a writer would make it start again.
        opened.backup(copied)
        opened.execute("COMMIT")
    with closing(sqlite3.connect(target)) as copied:
        make_self_contained(copied)
    target.chmod(0o600)
    return found


def make_self_contained(opened: sqlite3.Connection) -> None:
    """Leave no write-ahead log beside the file. Fails if another process has the file open."""
    mode = opened.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
    if mode != "delete":
        raise sqlite3.OperationalError("database is locked")


def verify(path: Path) -> Contents:
    """Read the whole file. Raises `BackupError` if it is damaged."""
    try:
        with closing(sqlite3.connect(_uri(path), uri=True)) as opened:
            answer = opened.execute("PRAGMA integrity_check(3)").fetchall()
            if answer != [("ok",)]:
                raise BackupError(f"The copy of the database is damaged: {answer[0][0]}.")
            return examine(_reader(opened), SQLITE_TABLES)
    except sqlite3.DatabaseError as error:
        raise BackupError(f"The copy of the database is damaged: {error}.") from None


def _reader(opened: sqlite3.Connection) -> Read:
    return lambda query: opened.execute(query).fetchall()


def _uri(path: Path) -> str:
    """Opens an existing file only."""
    return f"{path.resolve().as_uri()}?mode=rw"


class Target:
    """The portal's own database file, as what a backup is restored into."""

    kind: Final = "sqlite"

    def __init__(self, now: datetime) -> None:
        self.path = database_path()
        self.suffix = f"before-restore-{now:%Y%m%dT%H%M%SZ}"
        self.staged = self.path.with_name(f"{self.path.name}.restoring")

    def require_idle(self) -> None:
        """Raise `BackupError` if another process has the database open.

        A change of the journal's mode needs the file alone. A damaged file can't be asked.
        """
        if not self._has_database():
            return
        try:
            with closing(sqlite3.connect(_uri(self.path), uri=True, timeout=1)) as opened:
                make_self_contained(opened)
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise BackupError(IN_USE) from None
        except sqlite3.DatabaseError:
            return

    def contents(self) -> Contents | None:
        """What is in the database now. None if it cannot be read."""
        if not self.path.exists():
            return Contents({}, {}, None, [])
        if not self._has_database():
            return None
        try:
            with closing(sqlite3.connect(_uri(self.path), uri=True)) as opened:
                return examine(_reader(opened), SQLITE_TABLES)
        except sqlite3.DatabaseError:
            return None

    def _has_database(self) -> bool:
        """SQLite deletes the log of a file that has lost its header, so such a file is not opened.
        An empty file counts as a database."""
        if not self.path.exists():
            return False
        with self.path.open("rb") as file:
            return file.read(len(HEADER)) in (HEADER, b"")

    @contextmanager
    def stage(self, pieces: Iterable[bytes]) -> Iterator[Contents]:
        """Load a backup beside the database, as what `staged_settings` connects to."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._discard()
        try:
            store.write(self.staged, pieces)
            yield verify(self.staged)
        finally:
            self._discard()

    def staged_settings(self) -> dict[str, Any]:
        return {"NAME": str(self.staged)}

    def require_staged(self) -> None:
        """Raise `BackupError` unless the connection leads to the loaded backup."""
        if database_path() != self.staged:
            raise BackupError("The loaded backup cannot be opened.")

    def swap(self) -> str:
        """Put the staged file in place. Returns where the former database is kept."""
        with closing(sqlite3.connect(_uri(self.staged), uri=True)) as opened:
            make_self_contained(opened)
        verify(self.staged)
        self._adopt_owner()
        kept = ""
        self.require_idle()
        if self.path.exists():
            kept = str(self._keep_former())
        self.staged.replace(self.path)
        store.sync_folder(self.path.parent)
        return kept

    def _keep_former(self) -> Path:
        kept = self.path.with_name(f"{self.path.name}.{self.suffix}")
        # A log that stayed would be applied to the new file. Only a damaged database has one.
        for suffix in SUFFIXES[1:]:
            with suppress(FileNotFoundError):
                Path(f"{self.path}{suffix}").rename(f"{kept}{suffix}")
        # A second name: there is a database at every moment.
        os.link(self.path, kept)
        return kept

    def _adopt_owner(self) -> None:
        """The portal may run as another user than the one who restores."""
        like = (self.path if self.path.exists() else self.path.parent).stat()
        self.staged.chmod(like.st_mode & 0o777 if self.path.exists() else 0o600)
        if os.geteuid() == 0:
            os.chown(self.staged, like.st_uid, like.st_gid)
        with self.staged.open("rb") as file:
            os.fsync(file.fileno())

    def _discard(self) -> None:
        for suffix in SUFFIXES:
            Path(f"{self.staged}{suffix}").unlink(missing_ok=True)
