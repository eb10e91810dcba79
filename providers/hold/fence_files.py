"""The copies of the fence on this host: one in the data folder, one outside of it.

A restored database is older than these files. A restored data folder is older than the second one.
Several processes write them, so a file is locked while its value is compared and replaced: a
higher value is never overwritten by a lower one.

A file is overwritten in place, in one write of less than a disk sector. Replacing it by a new file
makes the file system write it out at once, which took milliseconds for each batch of calls.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from .. import clock

logger = logging.getLogger(__name__)

NAME: Final = "fence.json"
SIZE: Final = 400
"""Bytes of a file. Every write has this length, so that nothing of an earlier one remains."""
SYNC_EVERY: Final = 1.0
"""Seconds between two flushes to the disk. A killed process loses nothing that was not flushed;
only a power cut does."""


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


def write(counter: int, identity: str) -> None:
    """Keep this counter in every copy, unless the copy has a higher one."""
    copy = Copy(counter, identity[:200], clock.now().isoformat())
    for folder in folders().values():
        file = _files.setdefault(folder, _File(folder))
        try:
            file.write(copy)
        except OSError as error:
            file.warn_once(error)


def _read(path: Path) -> Copy | None:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            content = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        logger.warning("%s cannot be read (%s).", path, error.strerror)
        return None
    copy = _decode(content)
    if copy is None:
        logger.warning("%s is damaged and counts as missing.", path)
    return copy


def _encode(copy: Copy) -> bytes:
    values = json.dumps(asdict(copy))
    line = json.dumps({"fence": asdict(copy), "check": zlib.crc32(values.encode())})
    return line.encode().ljust(SIZE - 1) + b"\n"


def _decode(content: bytes) -> Copy | None:
    try:
        line = json.loads(content)
        copy = Copy(**line["fence"])
        is_whole = zlib.crc32(json.dumps(asdict(copy)).encode()) == line["check"]
    except (ValueError, KeyError, TypeError):
        return None
    return copy if is_whole and isinstance(copy.counter, int) else None


class _File:
    """One file, which this process keeps open."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._descriptor: int | None = None
        self._synced_at = float("-inf")
        self._has_warned = False

    def write(self, copy: Copy) -> None:
        descriptor = self._open()
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            before = _decode(os.pread(descriptor, SIZE, 0))
            if before is None or before.counter < copy.counter:
                os.pwrite(descriptor, _encode(copy), 0)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        self._has_warned = False
        self._sync_if_due(descriptor)

    def _open(self) -> int:
        """The open file, if it is still the one at this path."""
        if self._descriptor is not None:
            ours = os.fstat(self._descriptor)
            try:
                if os.path.samestat(ours, self._path.stat()):
                    return self._descriptor
            except FileNotFoundError:
                pass
            os.close(self._descriptor)
            self._descriptor = None
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._descriptor

    def _sync_if_due(self, descriptor: int) -> None:
        """Flush to the disk in another thread: it takes longer than all else in here."""
        if time.monotonic() - self._synced_at >= SYNC_EVERY:
            self._synced_at = time.monotonic()
            ours = os.dup(descriptor)
            try:
                _threads[0].submit(_sync, ours)
            except RuntimeError:  # The interpreter ends.
                _sync(ours)

    def warn_once(self, error: OSError) -> None:
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "%s cannot be written (%s), so nothing shows there how old the database is.",
                self._path,
                error.strerror,
            )


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_files: dict[Path, _File] = {}
_threads: Final = [ThreadPoolExecutor(1)]
# A forked process has none of its parent's threads.
os.register_at_fork(after_in_child=lambda: _threads.__setitem__(0, ThreadPoolExecutor(1)))
