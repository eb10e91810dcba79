"""The folder of backups: make one under a temporary name, list them, delete the oldest."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from . import BackupError, keys, manifest
from .manifest import FileEntry, Manifest

NAME: Final = re.compile(r"smsportal-\d{8}T\d{6}Z")
PARTIAL: Final = re.compile(rf"\.{NAME.pattern}\.(partial|scratch|removing)")


def name_at(now: datetime) -> str:
    return f"smsportal-{now:%Y%m%dT%H%M%SZ}"


@contextmanager
def partial(parent: Path, name: str, suffix: str = "partial") -> Iterator[Path]:
    """A folder for the files of a new backup. Removed at the end, unless `publish` renamed it.

    It is locked for as long as this process lives, so that `remove_leftovers` can tell it from
    one that a killed process left.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = parent / f".{name}.{suffix}"
    folder.mkdir(mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # Some network file systems lock no folders.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def write(path: Path, pieces: Iterable[bytes], *, encrypted: bool = False) -> FileEntry:
    """Write a new file that only its owner can read, and see that it is on the disk."""
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
        file.flush()
        os.fsync(descriptor)
    return FileEntry(size, digest.hexdigest(), encrypted)


def publish(folder: Path, made: Manifest) -> Path:
    """Give a verified backup its name. From then on it counts as whole."""
    write(folder / manifest.FILE, [made.encode()])
    sync_folder(folder)
    target = folder.parent / made.name
    if target.exists():
        raise BackupError(f"There is a backup named {made.name} already.")
    folder.rename(target)
    sync_folder(folder.parent)
    return target


def sync(file: BinaryIO) -> None:
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(parent: Path) -> None:
    """Remove what killed backups and killed removals left. Leaves those that are at work."""
    for folder in parent.iterdir() if parent.is_dir() else ():
        if not PARTIAL.fullmatch(folder.name) or folder.is_symlink() or not folder.is_dir():
            continue
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        except OSError:
            continue
        finally:
            os.close(descriptor)


def verified(parent: Path, digests: keys.Digests) -> list[tuple[Path, Manifest]]:
    """The verified backups of the portal with these keys, oldest first. Skips everything else."""
    found = []
    for folder in parent.iterdir():
        if NAME.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink():
            with suppress(BackupError):
                one = manifest.read(folder)
                if one.name == folder.name and keys.share_a_key(one.keys, digests):
                    found.append((folder, one))
    return sorted(found, key=lambda pair: (pair[1].made, pair[1].name))


def remove_oldest(parent: Path, keep: int, digests: keys.Digests) -> list[str]:
    """Remove all but the newest `keep` backups of this portal. Returns the names."""
    removed = []
    for folder, _ in verified(parent, digests)[:-keep]:
        # What is removed half must not look whole.
        doomed = folder.rename(folder.with_name(f".{folder.name}.removing"))
        shutil.rmtree(doomed)
        removed.append(folder.name)
    return removed


def locate(named: str, parent: Path | None) -> Path:
    """The folder of a backup that is named by its path, or by its name in the usual folder."""
    places = [Path(named), *([parent / named] if parent and "/" not in named else [])]
    for place in places:
        if place.is_dir():
            return place
    looked = " or ".join(str(place.parent.resolve()) for place in places)
    raise BackupError(f"There is no backup {named} in {looked}.")
