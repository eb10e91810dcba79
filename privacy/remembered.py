"""Hashes of erased numbers beside the database, so that a restored backup erases them again.

A backup from before an erasure has the number, and not the row that says that it was erased. The
files are those folders' in which the fence is kept. They only grow.
"""

from __future__ import annotations

import fcntl
import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from providers.hold import fence_files

logger = logging.getLogger(__name__)

NAME: Final = "erased-numbers"
_LINE: Final = re.compile(r"[0-9a-f]{64}")


def read() -> set[str]:
    """The hashes in all files of this host."""
    found: set[str] = set()
    for folder in fence_files.folders().values():
        found |= _read(folder / NAME)
    return found


def write(digests: Iterable[str]) -> None:
    """Add these hashes to every file that lacks them. A file that cannot be written is logged."""
    wanted = set(digests)
    for folder in fence_files.folders().values():
        path = folder / NAME
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("a+", encoding="ascii") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                missing = sorted(wanted - set(_LINE.findall(file.read())))
                file.write("".join(f"{digest}\n" for digest in missing))
        except OSError as error:
            logger.warning("%s cannot be written (%s).", path, error.strerror)


def _read(path: Path) -> set[str]:
    try:
        return set(_LINE.findall(path.read_text(encoding="ascii")))
    except FileNotFoundError:
        return set()
    except (OSError, UnicodeDecodeError) as error:
        logger.warning("%s cannot be read (%s).", path, error)
        return set()
