"""`manage.py preflight`: says whether the portal could start here, and changes nothing."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand

from smsportal.configuration.environment import EXIT_CODE
from smsportal.processes.programs import ALL, ROLES
from smsportal.startup.preflight import find_problems, find_warnings


class Command(BaseCommand):
    help = (
        "Check settings, keys, folders, addresses and database, and change nothing. One line for"
        " each problem. Run it while the portal is stopped here: its address must be free."
    )
    # It runs them itself, and reports each in one line.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--only", choices=ROLES, default=ALL, help="What this host will run.")

    def handle(self, *args: object, **options: Any) -> None:
        for warning in find_warnings():
            self.stdout.write(f"Warning: {warning}")
        problems = list(find_problems(options["only"]))
        if problems:
            self.stderr.write("\n".join(problems))
            sys.exit(EXIT_CODE)
        self.stdout.write("Everything fits. The portal can start here.")
