"""Only one backup at a time, on all hosts together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import DatabaseError, connection

from providers.task_leases import hold_task_lease

from . import BackupError

NAME: Final = "backup"
SECONDS: Final = 60.0
RENEW_EVERY: Final = 10.0


class _Renewal(threading.Thread):
    """Renews the lease on a connection of its own, while the copy takes as long as it takes."""

    def __init__(self, renew: Callable[[], bool]) -> None:
        super().__init__(name="lease of the backup", daemon=True)
        self.renew = renew
        self.ended = threading.Event()
        self.lost = False

    def run(self) -> None:
        while not self.ended.wait(RENEW_EVERY) and not self.lost:
            try:
                self.lost = not self.renew()
            except DatabaseError:
                connection.close()  # The next query opens a new one.
        connection.close()


@contextmanager
def only_one() -> Iterator[Callable[[], None]]:
    """Yields a function that raises `BackupError` once another host has taken over."""
    with hold_task_lease(NAME, SECONDS) as renew:
        if renew is None:
            raise BackupError(
                "Another backup is running, or one was killed less than a minute ago."
            )
        renewal = _Renewal(renew)
        renewal.start()

        def check() -> None:
            if renewal.lost:
                raise BackupError("Another host has started a backup meanwhile.")

        try:
            yield check
        finally:
            renewal.ended.set()
            renewal.join()
