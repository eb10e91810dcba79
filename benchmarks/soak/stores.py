"""The database of a run, and what happens to it from outside the portal."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from tests.database import Server, server_binaries

MEGABYTE = 1024 * 1024
SMALL_DISK = 1024
"""Megabytes of the file system that can be filled."""
SERVER_OPTIONS = {
    # The portal refuses a server that may lose a committed row.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "max_connections": "60",
    "max_wal_size": "128MB",
}

ANSWERS_WITHIN = 90.0
"""Seconds in which the server accepts a session of ours."""
TERMINATE = b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'soak'"


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mount a small file system at `folder`. Yields whether that was possible."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}m", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and bool(shutil.which("mount"))
    mounted = mounted and subprocess.run(command, check=False, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Leave no space in the file system of `folder` during the block."""
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"\0" * MEGABYTE)
        with filler.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"\0" * 512)
        yield
    finally:
        filler.unlink(missing_ok=True)


class SQLiteStore:
    """SQLite in the data folder of the only host."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "portal.sqlite3"
        self._copy = folder.with_name("backup.sqlite3")
        self.url = f"sqlite:///{self._file}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock for writers, as a backup program or a stuck process may."""
        connection = sqlite3.connect(self._file, timeout=30, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    def back_up(self) -> None:
        with sqlite3.connect(self._file) as source, sqlite3.connect(self._copy) as target:
            source.backup(target)

    def restore(self) -> None:
        """Put the copy in the place of the database. No process may have it open."""
        for ending in ("", "-wal", "-shm"):
            Path(f"{self._file}{ending}").unlink(missing_ok=True)
        shutil.copyfile(self._copy, self._file)


class PostgreSQLStore:
    """A server of its own, so that it can be stopped and filled."""

    name = "PostgreSQL"

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.folder = folder
        self.server = Server(binaries, folder, **SERVER_OPTIONS)
        self._dump = folder.with_name("backup.dump")
        self.url = self.server.url.replace("/postgres?", "/soak?")

    def start(self) -> bool:
        if not self.server.start():
            return False
        with self._connect("postgres") as connection:
            connection.execute("CREATE DATABASE soak")
        return True

    @contextmanager
    def away(self, how: signal.Signals) -> Iterator[None]:
        self.server.stop(how=how)
        try:
            yield
        finally:
            self.server.run()

    def keep_running(self) -> None:
        """Start the server again if a full disk has ended it."""
        process = self.server.process
        if process is None or process.poll() is not None:
            self.server.run()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        self._set_read_only("on")
        try:
            yield
        finally:
            self._set_read_only("off")

    @contextmanager
    def exhausted(self, *, cut: bool) -> Iterator[None]:
        """Leave no free connection. `cut`: also end those that the portal has open."""
        opened: list[psycopg.Connection[tuple[object, ...]]] = []
        with self._administrator() as own:
            try:
                self._open_all(opened)
                if cut:
                    own.execute(TERMINATE)
                    self._open_all(opened)
                yield
            finally:
                for connection in opened:
                    connection.close()

    def _open_all(self, opened: list[psycopg.Connection[tuple[object, ...]]]) -> None:
        with suppress(psycopg.OperationalError):
            while True:
                opened.append(self._connect("template1"))

    def terminate_backends(self) -> None:
        with self._administrator() as connection:
            connection.execute(TERMINATE)

    def back_up(self) -> None:
        with self._dump.open("wb") as file:
            subprocess.run([*self._tool("pg_dump"), "-Fc"], check=True, stdout=file)

    def restore(self) -> None:
        """Put the dump in the place of the database, whose connections end."""
        with self._administrator() as connection:
            connection.execute("DROP DATABASE soak WITH (FORCE)")
            connection.execute("CREATE DATABASE soak")
        with self._dump.open("rb") as file:
            subprocess.run(
                [*self._tool("pg_restore"), "--single-transaction"], check=True, stdin=file
            )

    def _set_read_only(self, value: str) -> None:
        with self._administrator() as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}".encode())
            connection.execute("SELECT pg_reload_conf()")
        time.sleep(0.2)
        self.terminate_backends()

    def _administrator(self) -> psycopg.Connection[tuple[object, ...]]:
        """A session in another database. Tries again while the server is busy or recovers."""
        deadline = time.monotonic() + ANSWERS_WITHIN
        while True:
            try:
                return self._connect("postgres")
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _tool(self, name: str) -> list[str]:
        folder = self.server.binaries
        return [str(folder / name), "-h", str(self.server.folder), "-U", "postgres", "-d", "soak"]

    def _connect(self, database: str = "soak") -> psycopg.Connection[tuple[object, ...]]:
        address = f"postgresql://postgres@/{database}?host={self.server.folder}"
        return psycopg.connect(address, autocommit=True, connect_timeout=10)


Store = SQLiteStore | PostgreSQLStore


@contextmanager
def open_store(wanted: str, folder: Path) -> Iterator[Store | None]:
    """The database of this kind in `folder`, or None if there is no PostgreSQL."""
    if wanted == "sqlite":
        yield SQLiteStore(folder)
        return
    for binaries in server_binaries():
        store = PostgreSQLStore(binaries, folder)
        try:
            if store.start():
                yield store
                return
        finally:
            store.server.stop()
    yield None
