"""How many exports run at once: one for each person, and two on a host.

An export keeps a processor core busy for as long as it takes. The locks are files, because several
processes share the limit, and because the lock of a process that dies is free again.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from ..client_presence import has_gone
from .pages import current_user

AT_ONCE: Final = 2
MOST_ROWS: Final = 2_000
"""Rows of a list that are exported at once. More are a job."""


def lock_folder() -> Path:
    return Path(settings.DATA_DIR) / "exports"


class ExportRefused(Exception):
    """The export was not begun."""


class OwnExportRuns(ExportRefused):
    """The same person has one already."""


class OtherExportsRun(ExportRefused):
    """Other people have as many as run at once."""


def lock_on_host(name: str) -> int | None:
    """Lock a name on this host: the open file that holds the lock. None if it is locked."""
    folder = lock_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file


class ExportSlot:
    """The right to run an export. It ends when it is released, forgotten or its process dies."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._files: list[int] = []

    def client_has_gone(self) -> bool:
        return has_gone(self._request)

    def lock(self, name: str) -> bool:
        """Lock a name on this host, unless it is locked."""
        file = lock_on_host(name)
        if file is not None:
            self._files.append(file)
        return file is not None

    def release(self) -> None:
        while self._files:
            os.close(self._files.pop())

    def __del__(self) -> None:
        self.release()


def claim_slot(request: HttpRequest) -> ExportSlot:
    """The slot for an export. Raises `ExportRefused`.

    Claim it before the list is filtered, which takes long, and before the export is logged.
    """
    slot = ExportSlot(request)
    if not slot.lock(f"person-{current_user(request).pk}"):
        raise OwnExportRuns
    if not any(slot.lock(f"place-{number}") for number in range(AT_ONCE)):
        slot.release()
        raise OtherExportsRun
    return slot
