"""The manifest of a backup: what is in it, and how to see that it is whole."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.db.migrations.loader import MigrationLoader

from smsportal.version import portal_version

from . import BackupError

FILE: Final = "manifest.json"
KIND: Final = "smsportal backup"
FORMAT: Final = 1
PLAIN_NAME: Final = re.compile(r"[a-z0-9]+(\.[a-z0-9]+)+")


@dataclass(frozen=True, slots=True)
class FileEntry:
    size: int
    sha256: str
    encrypted: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    name: str
    version: str
    made_at: str
    """In UTC, as ISO 8601; so are all times here."""
    made_by: str
    """Name of the host."""
    database: dict[str, str]
    """`kind`, `server` (its version) and `schema`."""
    migrations: list[str]
    counts: dict[str, int]
    """Rows by table."""
    newest: dict[str, dict[str, Any]]
    """The highest `id` and the newest time (`at`) of the main tables."""
    fence: dict[str, Any] | None
    """`counter` and `identity` of the fence. None if the database is older than the fence."""
    keys: dict[str, list[str]]
    """The check values of the keys, by setting."""
    files: dict[str, FileEntry] = field(default_factory=dict)
    verified_at: str = ""
    kind: str = KIND
    format: int = FORMAT

    def encode(self) -> bytes:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False).encode() + b"\n"

    @property
    def made(self) -> datetime:
        return datetime.fromisoformat(self.made_at)

    @property
    def database_file(self) -> str:
        return next(name for name in self.files if name.startswith("database."))

    @property
    def keys_file(self) -> str | None:
        return next((name for name in self.files if name.startswith("keys.")), None)


def read(folder: Path) -> Manifest:
    """The manifest of that backup. Raises `BackupError` if it is none."""
    try:
        stored = json.loads((folder / FILE).read_bytes())
        if stored["kind"] != KIND:
            raise ValueError(stored["kind"])
        if stored["format"] > FORMAT:
            raise BackupError(f"{folder} has a format that only a newer version can read.")
        files = {name: FileEntry(**entry) for name, entry in stored.pop("files").items()}
        manifest = Manifest(**stored, files=files)
        manifest.made.utctimetuple()
        assert_plain(manifest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        raise BackupError(f"{folder} is no backup of the portal: it has no manifest.") from None
    if not manifest.verified_at:
        raise BackupError(f"{folder} was never verified.")
    return manifest


def assert_plain(manifest: Manifest) -> None:
    """Raise an error if a file would be outside the folder, or if there is no database."""
    if not all(PLAIN_NAME.fullmatch(name) for name in manifest.files):
        raise ValueError(manifest.files)
    bool(manifest.database_file)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raise `BackupError` unless every file is as it was when the backup was made."""
    for name, entry in manifest.files.items():
        try:
            found = describe(folder / name, encrypted=entry.encrypted)
        except OSError as error:
            raise BackupError(f"{name} cannot be read: {error.strerror}.") from None
        if found != entry:
            raise BackupError(
                f"{name} is not as it was when the backup was made ({found.size:,} bytes,"
                f" expected {entry.size:,}). The backup is damaged or was changed."
            )


def describe(path: Path, *, encrypted: bool) -> FileEntry:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileEntry(file.tell(), digest, encrypted)


def refuse_newer(manifest: Manifest) -> None:
    """Raise `BackupError` if only a newer version of the portal knows the tables of the backup."""
    unknown = unknown_migrations(manifest.migrations)
    ours = portal_version()
    if not unknown and _numbers(manifest.version) <= _numbers(ours):
        return
    detail = f"; it has the migration {unknown[0]}" if unknown else ""
    raise BackupError(
        f"The backup was made by version {manifest.version}{detail}. This is version {ours}:"
        " install the newer one first."
    )


def unknown_migrations(applied: Iterable[str]) -> list[str]:
    """Those that only a newer version has, of `app.name`."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    disk = loader.disk_migrations
    known = {*disk, *(key for one in disk.values() for key in one.replaces)}
    installed = {config.label for config in apps.get_app_configs()}
    # An app that an earlier version had, and this one has not, is no sign of a newer version.
    pairs = [name.partition(".")[::2] for name in applied]
    return [f"{app}.{name}" for app, name in pairs if app in installed and (app, name) not in known]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]
