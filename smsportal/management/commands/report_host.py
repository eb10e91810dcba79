"""`manage.py report_host`: writes the row of this host while its portal runs.

`manage.py portal` runs it. A process of its own, so that neither a busy engine nor a busy web
server delays it, and so that it can end last.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connection

from core import key_checks
from providers.hosts import REPORT_EVERY, Report, write_report, write_stop
from providers.models import Host
from smsportal.backup.manifest import portal_version
from smsportal.host_measures import Measures


def _keys() -> str:
    """The beginnings of the check values of both keys, which must be the same on all hosts."""
    return "-".join(values[0][:4] for values in key_checks.configured().values() if values)


class Command(BaseCommand):
    help = "Write what this host runs and uses, for the page Hosts. The portal starts this itself."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--role", choices=Host.Role.values, default=Host.Role.ALL)
        parser.add_argument(
            "--since",
            type=float,
            default=datetime.now(UTC).timestamp(),
            metavar="SECONDS",
            help="When the portal started, in seconds since 1970.",
        )

    def handle(self, *args: object, **options: Any) -> None:
        ending = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ending.set())
        measures = Measures(os.getppid())
        while not ending.is_set():
            self._attempt(lambda: write_report(self._report(options, measures)))
            ending.wait(REPORT_EVERY)
        self._attempt(write_stop)

    def _report(self, options: dict[str, Any], measures: Measures) -> Report:
        return Report(
            role=options["role"],
            version=portal_version(),
            keys=_keys(),
            started_at=datetime.fromtimestamp(options["since"], UTC),
            measures=measures.take(),
        )

    def _attempt(self, act: Callable[[], None]) -> None:
        """Do it, unless the database is away. The next report comes soon."""
        try:
            act()
        except DatabaseError as error:
            self.stderr.write(f"The host could not be reported: {error}".strip())
            connection.close()
        close_old_connections()
