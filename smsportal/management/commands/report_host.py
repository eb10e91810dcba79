"""`manage.py report_host`: writes the row of this host while its portal runs.

`manage.py vitals` does so too, and `manage.py portal` runs that.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from django.core.management.base import BaseCommand

from smsportal.hosts.report import HostReport
from smsportal.log_lines import write_error
from smsportal.processes.programs import ALL, ROLES


class Command(BaseCommand):
    help = "Write what this host runs and uses, for the page Hosts. The portal does this itself."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--role", choices=ROLES, default=ALL, help="What this host runs.")
        parser.add_argument(
            "--since",
            type=float,
            default=time.time(),
            metavar="SECONDS",
            help="When the portal started, in seconds since 1970.",
        )

    def handle(self, *args: object, **options: Any) -> None:
        HostReport(options["role"], options["since"], write_error).run()
