"""The copies of the fence on this host: one in the data folder, one outside of it.

A restored database is older than these files. A restored data folder is older than the second one.
Several processes write them, so a file is locked while its value is compared and replaced: a
higher value is never overwritten by a lower one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import timezone

logger = logging.getLogger(__name__)

NAME: Final = "fence.json"
SYNC_EVERY: Final = 1.0
"""Seconds between two flushes to the disk, which take several milliseconds. A killed process
loses nothing that was not flushed; only a power cut does."""

_last_sync: dict[Path, float] = {}
_unwritable: set[Path] = set()
"""Folders that have been warned about."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What one file says."""

    counter: int
    identity: str = ""
    written_at: str = ""


def folders() -> dict[str, Path]:
    """The folder of each copy by its name. Without a STATE_DIR there is only one."""
    found = {"data": Path(settings.DATA_DIR)}
    if settings.STATE_DIR:
        found["state"] = Path(settings.STATE_DIR) / _folder_name(Path(settings.DATA_DIR))
    return found


def _folder_name(data: Path) -> str:
    """Names the data folder, so that several portals on one host keep apart."""
    path = str(data.resolve())
    return f"{data.name}-{hashlib.sha256(path.encode()).hexdigest()[:12]}"


def read() -> dict[str, Copy | None]:
    """Every copy by its name. None if it is missing or cannot be read."""
    return {name: _read(folder / NAME) for name, folder in folders().items()}


def highest() -> int:
    """The highest counter in any copy; 0 if there is none."""
    return max((copy.counter for copy in read().values() if copy), default=0)


def _read(file: Path) -> Copy | None:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        return Copy(int(values["counter"]), str(values["identity"]), str(values["written_at"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("%s cannot be read (%s).", file, type(error).__name__)
        return None


def write(counter: int, identity: str) -> None:
    """Keep this counter in every copy, unless the copy has a higher one."""
    for folder in folders().values():
        try:
            _write(folder, Copy(counter, identity, timezone.now().isoformat()))
        except OSError as error:
            _warn_once(folder, error)
        else:
            _unwritable.discard(folder)


def _warn_once(folder: Path, error: OSError) -> None:
    if folder not in _unwritable:
        _unwritable.add(folder)
        logger.warning(
            "%s cannot be written (%s), so nothing shows there how old the database is.",
            folder / NAME,
            error.strerror,
        )


def _write(folder: Path, copy: Copy) -> None:
    with _locked(folder):
        before = _read(folder / NAME)
        if before is not None and before.counter >= copy.counter:
            return
        temporary = folder / f".{NAME}.new"
        is_sync_due = time.monotonic() - _last_sync.get(folder, float("-inf")) >= SYNC_EVERY
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(asdict(copy), file)
            if is_sync_due:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(folder / NAME)
        if is_sync_due:
            _last_sync[folder] = time.monotonic()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Exclude the other processes of this host."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / f".{NAME}.lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
