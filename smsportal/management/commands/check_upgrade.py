"""`manage.py check_upgrade`, or `manage.py portal --check-upgrade`."""

from __future__ import annotations

import sys

from django.core.management.base import BaseCommand
from django.db import DatabaseError
from django.utils import translation

from smsportal.configuration.environment import EXIT_CODE
from smsportal.startup.database_errors import explain
from smsportal.upgrade_check.report import make_report


class Command(BaseCommand):
    help = (
        "Say what this version will do to the database: its migrations, their time, space and"
        " locks, and whether the version before may go on meanwhile. Changes nothing. Ends with"
        " code 1 if something must be done before, and with another one if it cannot tell."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        try:
            with translation.override("en"):
                report = make_report()
        except DatabaseError as error:
            self.stderr.write(explain(error))
            sys.exit(EXIT_CODE)
        for line in report.lines:
            self.stdout.write(line)
        if not report.problems:
            self.stdout.write("Nothing stands in the way.")
            return
        for problem in report.problems:
            self.stderr.write(f"First: {problem}")
        sys.exit(1)
