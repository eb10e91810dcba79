"""`manage.py portal`: lets child processes prepare everything, then supervises the programs.

Independent of Django, so that the supervisor stays small and never waits for a database.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NoReturn

from .hosts.name import claim_name
from .log_lines import write_line
from .processes.process_control import terminate_with_parent
from .processes.programs import ALL, MANAGE, ROOT, WEB, WORK, Plan, Programs
from .processes.source_files import SourceFiles
from .processes.supervisor import Supervisor
from .version import portal_version

DESCRIPTION: Final = (
    "Prepare the database and the static files, then run the web server and the queues."
    " Ctrl-C stops them all."
)
KEYS: Final = (sys.executable, "-m", "smsportal.configuration.environment")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--demo",
        action="store_true",
        help="Also run the sandbox providers, with demo staff and accounts.",
    )
    parser.add_argument(
        "--only",
        choices=(WEB, WORK),
        help="Run one part on this host. web: the web server; it needs BIND. work: both queues,"
        " which make every call to a provider. Every host needs the same database and keys.",
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


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="manage.py portal", description=DESCRIPTION)
    # Only here: Django's own command line has a --version, which is Django's.
    parser.add_argument("--version", action="version", version=portal_version())
    parser.add_argument(
        "--check-upgrade",
        action="store_true",
        help="Say what a start would do to the database, and how long it takes. Changes nothing.",
    )
    add_arguments(parser)
    options = parser.parse_args(arguments)
    if options.check_upgrade:
        return subprocess.run((*MANAGE, "check_upgrade"), check=False).returncode  # noqa: S603
    if options.demo and options.only:
        parser.error("--demo runs everything; leave out --only.")
    if options.demo:
        os.environ["DEMO"] = "true"
    role = options.only or ALL
    plan = _prepare(role, demo=options.demo)
    report = partial(write_line, log_format=plan.log_format)
    # Kept open until the end, since it holds the name.
    held_name = claim_name(plan.database)
    supervisor = Supervisor(
        Programs(plan, role).forked(report),
        report=report,
        ready=lambda: report(plan.greeting),
        changed=watch_sources(role) if options.reload else lambda: False,
        grace=options.grace,
    )
    report("Starting the portal. Ctrl-C stops it.")
    try:
        return supervisor.run()
    finally:
        if held_name is not None:
            held_name.close()


def _prepare(role: str, *, demo: bool) -> Plan:
    """Let children create missing keys and prepare the rest. Exits with their code if one fails."""
    # Process 1 of a container is not ended by a signal that it does not handle.
    before = signal.signal(signal.SIGTERM, _stop_early)
    try:
        # The module is found in the code's folder, and relative settings count from this one.
        _run((*KEYS, os.getcwd()), cwd=ROOT)  # noqa: PTH109
        read, write = os.pipe()
        demo_too = ("--demo",) if demo else ()
        _run(
            (*MANAGE, "prepare", "--only", role, "--plan-to", str(write), *demo_too),
            pass_fds=(write,),
        )
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as pipe:
            return Plan.from_json(json.load(pipe))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(command: Sequence[str], pass_fds: tuple[int, ...] = (), cwd: str | None = None) -> None:
    ended = subprocess.run(  # noqa: S603
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        pass_fds=pass_fds,
        preexec_fn=terminate_with_parent(os.getpid()),
        check=False,
    )
    if ended.returncode:
        sys.exit(ended.returncode if ended.returncode > 0 else 1)


def _stop_early(number: int, frame: object) -> NoReturn:
    sys.exit(128 + number)


def watch_sources(role: str) -> Callable[[], bool]:
    """A function that returns whether source files have changed since its last call.

    If so, it compiles catalogues and collects static files before it returns.
    """
    files = SourceFiles(Path(ROOT))

    def changed() -> bool:
        if not files.changed():
            return False
        subprocess.run((*MANAGE, "prepare", "--files", "--only", role), check=False)  # noqa: S603
        return True

    return changed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
