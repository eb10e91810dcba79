"""Make a backup: copy, read back, give it its name, and only then remove the oldest."""

from __future__ import annotations

import hashlib
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.db import connection

from providers.models import heartbeat
from smsportal.version import portal_version

from . import BackupError, keys, manifest, postgresql, sqlite, store
from .contents import Contents
from .encryption import decrypt, encrypt
from .lease import only_one
from .manifest import FileEntry, Manifest
from .pg_tools import chunks_of

HEARTBEAT: Final = "backup"
NO_PORTAL: Final = "The database has no tables of the portal yet, so there is nothing to back up."


@dataclass(frozen=True, slots=True)
class Made:
    folder: Path
    manifest: Manifest
    removed: list[str]


def make(parent: Path, *, passphrase: str = "", with_keys: bool = True, keep: int = 0) -> Made:
    """Make a backup in `parent`, and keep the newest `keep` (0: all).

    With a passphrase the database is encrypted, and so are the keys, unless `with_keys` is false.
    Without one, the keys are left out.
    """
    if "providers_tasklease" not in connection.introspection.table_names():
        raise BackupError(NO_PORTAL)
    now = datetime.now(UTC)
    with only_one() as check_lease:
        store.remove_leftovers(parent)
        if connection.vendor == "sqlite":
            store.remove_leftovers(sqlite.database_path().parent)
        with store.partial(parent, store.name_at(now)) as folder:
            made = _copy_database(folder, now, passphrase)
            if passphrase and with_keys:
                made.files["keys.enc"] = _write_keys(folder, passphrase)
            manifest.check_files(folder, made)
            check_lease()
            made = replace(made, verified_at=_text(datetime.now(UTC)))
            target = store.publish(folder, made)
        heartbeat(HEARTBEAT, made.name)
        removed = store.remove_oldest(parent, keep, made.keys) if keep else []
    return Made(target, made, removed)


def _copy_database(folder: Path, now: datetime, passphrase: str) -> Manifest:
    copy = _copy_sqlite if connection.vendor == "sqlite" else _copy_postgresql
    database, found, files = copy(folder, passphrase)
    return Manifest(
        name=store.name_at(now),
        version=portal_version(),
        made_at=_text(now),
        made_by=socket.gethostname(),
        database=database,
        migrations=found.migrations,
        counts=found.counts,
        newest=found.newest,
        fence=found.fence,
        keys=keys.digests(keys.current()),
        files=files,
    )


Copied = tuple[dict[str, str], Contents, dict[str, FileEntry]]


def _copy_sqlite(folder: Path, passphrase: str) -> Copied:
    plain: AbstractContextManager[Path] = nullcontext(folder)
    if passphrase:
        # Where it is in clear anyway, and not where the backups go.
        name = folder.name.removesuffix(".partial").lstrip(".")
        plain = store.partial(sqlite.database_path().parent, name, "scratch")
    with plain as place:
        path = place / "database.sqlite3"
        found = sqlite.copy(sqlite.database_path(), path)
        _require_same(found.counts, sqlite.verify(path).counts)
        with path.open("rb") as file:
            store.sync(file)
        files = {path.name: manifest.describe(path, encrypted=False)}
        if passphrase:
            files = _encrypt_file(path, folder / "database.enc", passphrase)
    return {"kind": "sqlite", "server": sqlite3.sqlite_version, "schema": ""}, found, files


def _encrypt_file(source: Path, target: Path, passphrase: str) -> dict[str, FileEntry]:
    with source.open("rb") as file:
        entry = store.write(target, encrypt(chunks_of(file), passphrase), encrypted=True)
    expected, found = manifest.describe(source, encrypted=False).sha256, hashlib.sha256()
    for piece in pieces_of(target, entry, passphrase):
        found.update(piece)
    if found.hexdigest() != expected:
        raise BackupError("The encrypted copy of the database cannot be read back.")
    return {target.name: entry}


def _copy_postgresql(folder: Path, passphrase: str) -> Copied:
    path = folder / ("database.enc" if passphrase else "database.dump")
    with postgresql.snapshot() as seen:
        pieces = postgresql.dump(seen)
        stream = encrypt(pieces, passphrase) if passphrase else pieces
        entry = store.write(path, stream, encrypted=bool(passphrase))
    dumped = postgresql.count_rows(pieces_of(path, entry, passphrase))
    _require_same(
        seen.contents.counts, {table: dumped.get(table, -1) for table in seen.contents.counts}
    )
    kind = {"kind": "postgresql", "server": seen.server, "schema": seen.schema}
    return kind, seen.contents, {path.name: entry}


def pieces_of(path: Path, entry: FileEntry, passphrase: str) -> Iterator[bytes]:
    """The plain bytes of a file of a backup."""
    with path.open("rb") as file:
        yield from decrypt(file, passphrase) if entry.encrypted else chunks_of(file)


def _require_same(expected: dict[str, int], found: dict[str, int]) -> None:
    if expected != found:
        differing = sorted(name for name in expected if expected[name] != found.get(name))
        raise BackupError(f"The copy was read back and differs in {', '.join(differing)}.")


def _write_keys(folder: Path, passphrase: str) -> FileEntry:
    entry = store.write(folder / "keys.enc", keys.pack(passphrase), encrypted=True)
    if keys.unpack(folder / "keys.enc", passphrase) != keys.current():
        raise BackupError("The encrypted keys cannot be read back.")
    return entry


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
