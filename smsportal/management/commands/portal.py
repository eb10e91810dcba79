"""`manage.py portal`: prepares the database and files, then runs the portal's processes."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.utils import timezone
from django_q.tasks import async_task

from providers.engine import heartbeats, wake
from providers.hold import verdict
from providers.models import Heartbeat
from smsportal import assets, demo
from smsportal.compile_translations import compile_catalogues
from smsportal.database_durability import check_durability
from smsportal.environment import BASE_DIR, ensure_keys
from smsportal.host_name import claim_name
from smsportal.source_files import SourceFiles
from smsportal.supervisor import Program, Supervisor

MANAGE = (sys.executable, str(BASE_DIR / "manage.py"))
# django-q2 warns about a queue without a timeout. The check smsportal.E014 is more exact.
QUIET = {"PYTHONWARNINGS": "ignore:Retry and timeout are misconfigured"}
WEB_FIRST, THEN_QUEUES, SANDBOX_LAST = range(3)


class Command(BaseCommand):
    help = (
        "Prepare the database and the static files, then run the web server and the queues."
        " Ctrl-C stops them all."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--demo",
            action="store_true",
            help="Also run the sandbox providers, with demo staff and accounts.",
        )
        parser.add_argument(
            "--reload",
            action="store_true",
            help="For developers: restart the web server and the queues when source files change."
            " The sandbox keeps running.",
        )
        parser.add_argument(
            "--grace",
            type=float,
            default=120,
            metavar="SECONDS",
            help="How long in-flight work may take when stopping (default: 120).",
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        # Before Django's system checks, which fail if keys are missing.
        outdated = options["demo"] and not settings.DEMO
        if outdated:
            os.environ["DEMO"] = "true"
        if written := ensure_keys():
            self._print(f"New keys were written to {written}. Keep a copy of that file.")
            outdated = True
        if outdated:
            _re_execute()
        return super().execute(*args, **options)

    def handle(self, *args: object, **options: Any) -> None:
        web = parse_bind(settings.BIND)
        sandbox = parse_bind(os.environ["SANDBOX_BIND"]) if options["demo"] else None
        for name, address in (("BIND", web), ("SANDBOX_BIND", sandbox)):
            require_free(name, address)
        # Kept open, since it holds the name.
        self.held_name = claim_name(repr(connection.settings_dict["NAME"]))
        require_durable_database()
        self._prepare()
        passwords = self._prepare_demo() if options["demo"] else {}
        supervisor = Supervisor(
            programs(web, sandbox),
            report=self._print,
            ready=lambda: self._greet(passwords),
            changed=watch_sources() if options["reload"] else lambda: False,
            grace=options["grace"],
        )
        self._print("Starting the portal. Ctrl-C stops it.")
        sys.exit(supervisor.run())

    def _prepare(self) -> None:
        Path(settings.DATA_DIR).mkdir(mode=0o700, parents=True, exist_ok=True)
        compile_catalogues()
        call_command("migrate", interactive=False, verbosity=0)
        if line := verdict.decide_at_start().text:
            self._print(line)
        call_command("createcachetable", verbosity=0)
        assets.collect()
        wake.keep_running()
        async_task("providers.tasks.beat")

    def _prepare_demo(self) -> dict[str, str]:
        try:
            return demo.prepare()
        except demo.RealAccounts as error:
            raise CommandError(
                f"This database holds accounts that are not the demo's ({error})."
                " Give the demo its own DATA_DIR or DATABASE_URL."
            ) from None

    def _greet(self, passwords: dict[str, str]) -> None:
        lines = [f"The portal is ready: {settings.PUBLIC_ADDRESS or 'http://' + settings.BIND}/"]
        if not User.objects.exists():
            lines.append("Nobody can sign in yet: create a user with `manage.py createsuperuser`.")
        if passwords:
            lines.append(f"The sandbox providers: {settings.SANDBOX_URL}/")
            lines += ["", "Demo staff, with their passwords:"]
            lines += [f"  {name:<10} {password}" for name, password in passwords.items()]
        self._print("\n".join(["", *lines, "", "Ctrl-C stops it.", ""]))

    def _print(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def watch_sources() -> Callable[[], bool]:
    """A function that returns whether source files have changed since its last call.

    If so, it compiles catalogues and collects static files before it returns.
    """
    files = SourceFiles(BASE_DIR)

    def changed() -> bool:
        if not files.changed():
            return False
        compile_catalogues()
        assets.collect()
        return True

    return changed


def programs(web: tuple[str, int] | None, sandbox: tuple[str, int] | None) -> list[Program]:
    """The processes to run. The web server stops first, the sandbox last."""
    found = [
        Program(
            "web server",
            (sys.executable, "-m", "gunicorn", "--config", str(BASE_DIR / "gunicorn.conf.py")),
            stop_order=WEB_FIRST,
            address=web,
        )
    ]
    found += [cluster(name) for name in clusters()]
    found.append(host_reporter())
    if sandbox:
        host, port = sandbox
        command = (*MANAGE, "sandbox", "--host", host, "--port", str(port))
        reports = ("--otp-callback", demo.otp_callback())
        found.append(
            Program(
                "sandbox",
                (*command, *reports),
                stop_order=SANDBOX_LAST,
                address=sandbox,
                # It keeps received SMS in memory only.
                reloads=False,
            )
        )
    return found


def clusters() -> tuple[str, ...]:
    return (settings.Q_CLUSTER["name"], *settings.Q_CLUSTER.get("ALT_CLUSTERS", {}))


def cluster(name: str) -> Program:
    """One django-q2 cluster.

    The name must be in the environment before django-q2 is imported. With `qcluster --name`, the
    settings of the named cluster would not apply.
    """
    default = name == settings.Q_CLUSTER["name"]
    return Program(
        "queue" if default else f"{name} queue",
        # This command has run the checks already, and they load every page.
        (*MANAGE, "qcluster", "--skip-checks"),
        {**QUIET, "Q_CLUSTER_NAME": name},
        THEN_QUEUES,
        silent_for=queue_silent_for if default else engine_silent_for,
        max_silence=600 if default else 180,
    )


def host_reporter() -> Program:
    """Writes the row of this host. It stops after the queues, since it records the stop."""
    command = (*MANAGE, "report_host", "--since", str(time.time()))
    return Program("host report", command, stop_order=SANDBOX_LAST)


def queue_silent_for() -> float:
    """Seconds since the queue last completed a task; 0 if unknown."""
    try:
        heartbeats.bound_future_beats()
        beat = Heartbeat.objects.filter(name="queue").first()
    except DatabaseError:
        connection.close()  # The next query opens a new one.
        return 0
    return (timezone.now() - beat.beat_at).total_seconds() if beat else 0


def engine_silent_for() -> float:
    """Seconds since the last heartbeat of any engine loop; 0 if unknown.

    If an idle worker of a cluster is killed, the cluster may stop handing out tasks, so that no
    loop starts in it. In a healthy cluster, a missing loop is replaced within two minutes.
    """
    try:
        return heartbeats.seconds_since_last_beat()
    except DatabaseError:
        connection.close()  # The next query opens a new one.
        return 0


def parse_bind(bind: str) -> tuple[str, int] | None:
    """Host and port of `127.0.0.1:8000` or `[::1]:8000`; None for a Unix socket."""
    if bind.startswith(("unix:", "fd://")):
        return None
    host, separator, port = bind.rpartition(":")
    if not separator or not port.isdigit():
        raise CommandError(f"“{bind}” is not an address with a port, such as 127.0.0.1:8000.")
    return host.strip("[]"), int(port)


def require_free(name: str, address: tuple[str, int] | None) -> None:
    """Raise `CommandError` if another program listens there, which would pass for ours."""
    if address is None:
        return
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {address[0]}:{address[1]} ({error.strerror})."
                f" Choose another address with {name}, in the environment or in .env."
            ) from None


def require_durable_database() -> None:
    """Raise `CommandError` if the database may lose what it committed."""
    for found in check_durability(databases=["default"]):
        if found.is_serious():
            raise CommandError(f"{found.msg} {found.hint}")


def _re_execute() -> None:
    """Run this command again from the start, so that it reloads the settings."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606
