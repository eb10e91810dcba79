"""`manage.py vitals`: reports this host to the database, and its queues to the supervisor.

`manage.py portal` runs it. A process of its own, so that neither a busy engine nor a busy web
server delays it, and so that it can end last.
"""

from __future__ import annotations

from typing import Any

from smsportal.hosts.report import HostReport
from smsportal.log_lines import write_error
from smsportal.processes.vitals import Vitals

from .report_host import Command as ReportHost


class Command(ReportHost):
    help = (
        "Started by `manage.py portal`. Writes what this host runs and uses, and prints the age of"
        " the queues' heartbeats, line by line."
    )

    def handle(self, *args: object, **options: Any) -> None:
        vitals = Vitals(options["role"], self._write)
        HostReport(options["role"], options["since"], write_error).run(vitals.look)

    def _write(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
