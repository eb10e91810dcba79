"""`manage.py vitals`: reports to the supervisor how long the queues have shown no sign of life."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from smsportal.programs import ALL, ROLES
from smsportal.vitals import Vitals


class Command(BaseCommand):
    help = "Started by `manage.py portal`. Reports the age of the queues' heartbeats, line by line."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--role", choices=ROLES, default=ALL, help="What this host runs.")

    def handle(self, *args: object, **options: Any) -> None:
        Vitals(options["role"], self._write).run()

    def _write(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
