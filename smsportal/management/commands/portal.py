"""`manage.py portal` for `help` and for callers of Django's command line.

`manage.py` itself starts `smsportal.portal` without Django.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand

from smsportal import portal
from smsportal.processes.programs import MANAGE


class Command(BaseCommand):
    help = portal.DESCRIPTION
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        portal.add_arguments(parser)

    def handle(self, *args: object, **options: Any) -> None:
        arguments = [f"--{name}" for name in ("demo", "reload") if options[name]]
        arguments += ["--grace", str(options["grace"])]
        if options["only"]:
            arguments += ["--only", options["only"]]
        command = [*MANAGE, "portal", *arguments]
        os.execv(sys.executable, command)  # noqa: S606
