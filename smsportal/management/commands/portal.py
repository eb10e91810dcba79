"""`manage.py portal`: prepare everything, then run the portal's processes until it is stopped."""

from __future__ import annotations

import argparse
import os
import socket
import sys
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
from providers.models import Heartbeat
from smsportal import assets, demo
from smsportal.compile_translations import compile_catalogues
from smsportal.environment import BASE_DIR, ensure_keys
from smsportal.source_files import SourceFiles
from smsportal.supervisor import Program, Supervisor

MANAGE = (sys.executable, str(BASE_DIR / "manage.py"))
# django-q2 takes a queue without a timeout for a mistake; smsportal.E014 looks closer.
QUIET = {"PYTHONWARNINGS": "ignore:Retry and timeout are misconfigured"}
WEB_FIRST, THEN_QUEUES, SANDBOX_LAST = range(3)


class Command(BaseCommand):
    help = (
        "Prepare the database and the static files, then run the web server and the queues."
        " Stops them all on Ctrl-C."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--demo",
            action="store_true",
            help="Run the practice providers too, with demo staff and accounts.",
        )
        parser.add_argument(
            "--reload",
            action="store_true",
            help="For developers: start the web server and the queues again when source files"
            " change. The practice providers keep running.",
        )
        parser.add_argument(
            "--grace",
            type=float,
            default=120,
            metavar="SECONDS",
            help="How long work in hand may take when stopping (default: 120).",
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        # Before Django's system checks, which would stumble over the missing keys.
        outdated = options["demo"] and not settings.DEMO
        if outdated:
            os.environ["DEMO"] = "true"
        if written := ensure_keys():
            self._say(f"New keys were written to {written}. Keep a copy of that file.")
            outdated = True
        if outdated:
            _start_over()
        return super().execute(*args, **options)

    def handle(self, *args: object, **options: Any) -> None:
        web = address_of(settings.BIND)
        sandbox = address_of(os.environ["SANDBOX_BIND"]) if options["demo"] else None
        for name, address in (("BIND", web), ("SANDBOX_BIND", sandbox)):
            require_free(name, address)
        self._prepare()
        passwords = self._prepare_demo() if options["demo"] else {}
        supervisor = Supervisor(
            programs(web, sandbox),
            say=self._say,
            ready=lambda: self._greet(passwords),
            changed=take_up_changes() if options["reload"] else lambda: False,
            grace=options["grace"],
        )
        self._say("Starting the portal. Ctrl-C stops it.")
        sys.exit(supervisor.run())

    def _prepare(self) -> None:
        Path(settings.DATA_DIR).mkdir(mode=0o700, parents=True, exist_ok=True)
        compile_catalogues()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        assets.collect()
        wake.start_loops()
        async_task("providers.tasks.beat")

    def _prepare_demo(self) -> dict[str, str]:
        try:
            return demo.prepare()
        except demo.RealAccounts as error:
            raise CommandError(
                f"This database holds accounts that are not the demonstration's ({error})."
                " Give the demonstration a DATA_DIR or DATABASE_URL of its own."
            ) from None

    def _greet(self, passwords: dict[str, str]) -> None:
        lines = [f"The portal is ready: {settings.PUBLIC_ADDRESS or 'http://' + settings.BIND}/"]
        if not User.objects.exists():
            lines.append("Nobody can sign in yet: `manage.py createsuperuser` makes the first.")
        if passwords:
            lines.append(f"The practice providers: {settings.SANDBOX_URL}/")
            lines += ["", "Demo staff, with their passwords:"]
            lines += [f"  {name:<10} {password}" for name, password in passwords.items()]
        self._say("\n".join(["", *lines, "", "Ctrl-C stops it.", ""]))

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def take_up_changes() -> Callable[[], bool]:
    """What tells whether source files have changed since it was last asked. Catalogues are
    compiled and static files collected before it says so."""
    files = SourceFiles(BASE_DIR)

    def changed() -> bool:
        if not files.changed():
            return False
        compile_catalogues()
        assets.collect()
        return True

    return changed


def programs(web: tuple[str, int] | None, sandbox: tuple[str, int] | None) -> list[Program]:
    """Everything that runs. The web stops first, and the sandbox when nobody calls it any more."""
    found = [
        Program(
            "web server",
            (sys.executable, "-m", "gunicorn", "--config", str(BASE_DIR / "gunicorn.conf.py")),
            stop_order=WEB_FIRST,
            address=web,
        )
    ]
    found += [cluster(name) for name in clusters()]
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
                # It would forget every SMS that it has received.
                reloads=False,
            )
        )
    return found


def clusters() -> tuple[str, ...]:
    return (settings.Q_CLUSTER["name"], *settings.Q_CLUSTER.get("ALT_CLUSTERS", {}))


def cluster(name: str) -> Program:
    """One cluster of django-q2.

    The name counts only if the environment has it before django-q2 is imported: with
    `qcluster --name` the settings of the other cluster would not be used.
    """
    default = name == settings.Q_CLUSTER["name"]
    return Program(
        "queue" if default else f"{name} queue",
        # This command has been checked already, and the checks load every page.
        (*MANAGE, "qcluster", "--skip-checks"),
        {**QUIET, "Q_CLUSTER_NAME": name},
        THEN_QUEUES,
        silent_for=queue_silent_for if default else engine_silent_for,
        longest_silence=600 if default else 180,
    )


def queue_silent_for() -> float:
    """Seconds since a task last got through the queue; 0 where that cannot be known."""
    try:
        beat = Heartbeat.objects.filter(name="queue").first()
    except DatabaseError:
        connection.close()  # The next look makes a new one.
        return 0
    return (timezone.now() - beat.beat_at).total_seconds() if beat else 0


def engine_silent_for() -> float:
    """Seconds since any loop of the engine gave a sign of life; 0 where that cannot be known.

    A cluster whose idle worker was killed gives out no task any more, so no loop starts in
    it however often one is asked for. Where all is well a missing loop is there again
    within two minutes.
    """
    try:
        return heartbeats.seconds_since_last_beat()
    except DatabaseError:
        connection.close()  # The next look makes a new one.
        return 0


def address_of(bind: str) -> tuple[str, int] | None:
    """Host and port of `127.0.0.1:8000` or `[::1]:8000`; None for a Unix socket."""
    if bind.startswith(("unix:", "fd://")):
        return None
    host, separator, port = bind.rpartition(":")
    if not separator or not port.isdigit():
        raise CommandError(f"“{bind}” is no address with a port, like 127.0.0.1:8000.")
    return host.strip("[]"), int(port)


def require_free(name: str, address: tuple[str, int] | None) -> None:
    """Say so now if another program listens there: later it would be taken for ours."""
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


def _start_over() -> None:
    """Run this command again from the start, so that the settings are read afresh."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606
