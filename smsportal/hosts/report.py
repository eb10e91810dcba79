"""Writes the row of this host while its portal runs, for the page "Hosts"."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import DatabaseError, close_old_connections, connection

from core import key_checks
from providers.hosts import REPORT_EVERY, Report, write_report, write_stop

from ..version import portal_version
from .measures import Measures


class HostReport:
    """The reports of one host. The calling process is a child of its supervisor.

    `since`: when the portal started, in seconds since 1970. `log` receives errors of the database,
    which end nothing, since the next report comes soon.
    """

    def __init__(self, role: str, since: float, log: Callable[[str], object]) -> None:
        self._role = role
        self._since = datetime.fromtimestamp(since, UTC)
        self._log = log
        self._measures = Measures(os.getppid())

    def run(self, beside: Callable[[bool], None] = lambda _: None) -> None:
        """Report until SIGTERM or SIGINT, and then the stop.

        Calls `beside` before each report, and tells it whether the last one could be written.
        """
        ending = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ending.set())
        is_written = True
        while not ending.is_set():
            beside(is_written)
            is_written = self._attempt(lambda: write_report(self._report()))
            ending.wait(REPORT_EVERY)
        self._attempt(write_stop)

    def _report(self) -> Report:
        return Report(
            role=self._role,
            version=portal_version(),
            keys=_keys(),
            started_at=self._since,
            measures=self._measures.take(),
        )

    def _attempt(self, act: Callable[[], None]) -> bool:
        """Whether the database took it."""
        is_written = False
        try:
            act()
            is_written = True
        except DatabaseError as error:
            self._log(f"The host could not be reported: {error}".strip())
            connection.close()
        close_old_connections()
        return is_written


def _keys() -> str:
    """The beginnings of the check values of both keys, which must be the same on all hosts."""
    return "-".join(values[0][:4] for values in key_checks.configured().values() if values)
