"""`manage.py prepare`: the part of a start that needs Django. `manage.py portal` runs it first."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from smsportal import demo
from smsportal.configuration.environment import EXIT_CODE
from smsportal.log_lines import make_line, write_error
from smsportal.processes.programs import ALL, ROLES, WEB, WORK, Plan
from smsportal.startup import assets, database_errors
from smsportal.startup.compile_translations import CannotCompile, compile_catalogues
from smsportal.startup.first_admin import FirstAdminRefused
from smsportal.startup.key_comparison import KeysDoNotFit
from smsportal.startup.preflight import find_problems, find_warnings
from smsportal.startup.preparation import prepare_database, start_work


class Command(BaseCommand):
    help = (
        "Prepare the database and the static files for a start of the portal. `manage.py portal`"
        " does this, too."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="Also prepare the demo's data.")
        parser.add_argument("--only", choices=ROLES, default=ALL, help="What this host runs.")
        parser.add_argument("--files", action="store_true", help="Only translations and styles.")
        parser.add_argument("--plan-to", type=int, help="Descriptor for what is to be run.")

    def handle(self, *args: object, **options: Any) -> None:
        if options["files"]:
            self._prepare_files(options["only"])
            return
        plan = self._prepare(options["only"], demo_too=options["demo"])
        if options["plan_to"] is not None:
            with os.fdopen(options["plan_to"], "w", encoding="utf-8") as pipe:
                json.dump(dataclasses.asdict(plan), pipe)

    def _prepare(self, role: str, *, demo_too: bool) -> Plan:
        for warning in find_warnings():
            self._print(f"Warning: {warning}")
        self._stop_if(*find_problems(role, demo=demo_too))
        try:
            prepare_database(self._print)
            self._prepare_files(role)
            if role != WEB:
                start_work()
            passwords = demo.prepare() if demo_too else {}
            return make_plan(role, passwords, demo_too=demo_too)
        except (KeysDoNotFit, FirstAdminRefused, CannotCompile) as refusal:
            self._stop_if(str(refusal))
        except DatabaseError as error:
            self._stop_if(database_errors.explain(error))
        except demo.RealAccounts as error:
            self._stop_if(
                f"This database holds accounts that are not the demo's ({error})."
                " Give the demo its own DATA_DIR or DATABASE_URL."
            )
        raise AssertionError

    def _prepare_files(self, role: str) -> None:
        compile_catalogues()
        if role != WORK:
            assets.collect()

    def _stop_if(self, *problems: str) -> None:
        if problems:
            write_error("\n".join(problems))
            sys.exit(EXIT_CODE)

    def _print(self, text: str) -> None:
        self.stdout.write(make_line(text, log_format=settings.LOG_FORMAT), ending="")
        self.stdout.flush()


def make_plan(role: str, passwords: dict[str, str], *, demo_too: bool) -> Plan:
    clusters = (settings.Q_CLUSTER["name"], *settings.Q_CLUSTER.get("ALT_CLUSTERS", {}))
    return Plan(
        web=settings.BIND if role != WORK else "",
        clusters=clusters if role != WEB else (),
        sandbox=os.environ["SANDBOX_BIND"] if demo_too else "",
        otp_callback=demo.otp_callback() if demo_too else "",
        greeting=greeting(role, passwords),
        database=repr(connection.settings_dict["NAME"]),
        log_format=settings.LOG_FORMAT,
    )


def greeting(role: str, passwords: dict[str, str]) -> str:
    address = f"{settings.PUBLIC_ADDRESS or 'http://' + settings.BIND}/"
    if role == WORK:
        lines = ["The portal is ready: the queues run here, and no web server."]
    else:
        lines = [f"The portal is ready: {address}"]
    if role == WEB:
        lines.append("No queue runs here: nothing is sent until another host runs them.")
    if not User.objects.exists():
        lines.append("Nobody can sign in yet: create a user with `manage.py createsuperuser`.")
    if passwords:
        lines.append(f"What is sent arrives on its page “Sandbox”: {address}practice/")
        lines += ["", *demo.describe_staff(passwords)]
    return "\n".join(["", *lines])
