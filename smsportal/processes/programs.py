"""The programs of the portal, as the supervisor runs them. Independent of Django."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import uuid4

from ..configuration.addresses import Address, parse_bind
from .forks.client import COMMAND, Forked, ForkServer
from .process_control import IS_LINUX, adopt_orphans
from .supervisor import Program
from .vital_signs import VitalSigns

ROOT: Final = os.path.abspath(os.path.join(__file__, "../../.."))  # noqa: PTH100, PTH118
MANAGE: Final = (sys.executable, os.path.join(ROOT, "manage.py"))  # noqa: PTH118
# django-q2 warns about a queue without a timeout. The check smsportal.E014 is more exact.
QUIET: Final = {"PYTHONWARNINGS": "ignore:Retry and timeout are misconfigured"}
WEB_FIRST, THEN_QUEUES, OTHERS_LAST = range(3)
WEB, WORK, ALL = "web", "work", "all"
ROLES: Final = (WEB, WORK, ALL)
DEFAULT_QUEUE: Final = "smsportal"
VITALS: Final = "vitals"
FORK_SERVER: Final = "fork server"
"""The program that loads the portal's code and forks the others."""
COMMANDS: Final = "smsportal.management.commands"
EVERY_PROGRAM: Final = (f"{COMMANDS}.vitals", "core.caches", "providers.hold.recovery")
WEB_MODULES: Final = ("smsportal.wsgi", "smsportal.web_server.worker", "gunicorn.app.wsgiapp")
QUEUE_MODULES: Final = (
    f"{COMMANDS}.qcluster",
    "providers.engine.loop",
    "alerts.tasks",
    "audit.tasks",
    "core.tasks",
    "figures.tasks",
    "messaging.batches.tasks",
    "otp.tasks",
    "privacy.tasks",
    "providers.tasks",
    "rentals.tasks",
    "smsportal.backup.tasks",
    "smsportal.tasks",
)
"""What is loaded before the programs are forked. What is missing here, each of them loads later."""
OTP_CALLBACK: Final = "SANDBOX_OTP_CALLBACK"
"""The variable that tells the sandbox where its OTP Service reports to."""
INSTANCE: Final = "SMSPORTAL_INSTANCE"
"""The variable that distinguishes this supervisor's processes from those of others."""
MAX_SILENCE: Final = {DEFAULT_QUEUE: 130.0, "engine": 120.0, VITALS: 120.0, FORK_SERVER: 120.0}
"""Seconds without a sign of life after which a program is killed.

The default queue gets a task every 20 seconds. If both workers have just begun tasks of the longest
duration (93 seconds), nothing ends for 113 seconds. A missing loop of the engine is replaced within
half a minute.
"""


@dataclass(frozen=True)
class Plan:
    """What to run, as the preparation found it."""

    web: str = ""
    """BIND, or nothing without a web server."""
    clusters: tuple[str, ...] = ()
    sandbox: str = ""
    otp_callback: str = ""
    greeting: str = ""
    database: str = ""
    """Distinguishes the database from others, see `host_name.claim_name`."""
    log_format: str = "plain"

    @classmethod
    def from_json(cls, plan: dict[str, Any]) -> Plan:
        return cls(**{**plan, "clusters": tuple(plan["clusters"])})


@dataclass(frozen=True)
class Programs:
    """The programs of a plan, and what they report about themselves."""

    plan: Plan
    role: str = ALL
    signs: VitalSigns = field(default_factory=VitalSigns)
    instance: str = field(default_factory=lambda: uuid4().hex[:12])

    def all(self) -> list[Program]:
        """The web server stops first, the sandbox and the vitals last."""
        found = [self.web_server(parse_bind(self.plan.web))] if self.plan.web else []
        found += [self.cluster(name) for name in self.plan.clusters]
        if self.plan.sandbox:
            found.append(self.sandbox(parse_bind(self.plan.sandbox)))
        return [*found, self.vitals()]

    def forked(self, report: Callable[[str], None]) -> list[Program]:
        """The same programs as forks of one that has loaded the code, where the system can."""
        if not IS_LINUX:
            return self.all()
        if not adopt_orphans():
            # Nobody would learn of the end of a fork, so that none would start.
            report(
                "The system does not let the portal adopt processes."
                " Each program loads the code by itself and needs more memory."
            )
            return self.all()
        return forked(self.all(), self.modules())

    def modules(self) -> tuple[str, ...]:
        """What a host of this role needs: the pages are large, and for the web only."""
        web = WEB_MODULES if self.plan.web else ()
        queues = QUEUE_MODULES if self.plan.clusters else ()
        return (*EVERY_PROGRAM, *web, *queues)

    def web_server(self, address: Address) -> Program:
        configuration = os.path.join(ROOT, "gunicorn.conf.py")  # noqa: PTH118
        return Program(
            "web server",
            (sys.executable, "-m", "gunicorn", "--config", configuration),
            stop_order=WEB_FIRST,
            address=address,
        )

    def cluster(self, name: str) -> Program:
        return cluster(name, self.signs, self.instance)

    def sandbox(self, address: Address) -> Program:
        assert not isinstance(address, str), "the rule of SANDBOX_BIND lets no file through"  # noqa: S101
        host, port = address
        # In the environment, because every user of the host can read the command line.
        reports = {OTP_CALLBACK: self.plan.otp_callback}
        return Program(
            "sandbox",
            (*MANAGE, "sandbox", "--host", host, "--port", str(port), "--verbosity", "0"),
            reports,
            stop_order=OTHERS_LAST,
            address=address,
            # It keeps received SMS in memory only.
            reloads=False,
        )

    def vitals(self) -> Program:
        """They also write the row of this host, and stop last, since they record the stop."""
        since = ("--since", str(time.time()))
        return Program(
            VITALS,
            (*MANAGE, "vitals", "--role", self.role, *since),
            {INSTANCE: self.instance},
            OTHERS_LAST,
            silent_for=self.signs.silence_of_reporter,
            max_silence=MAX_SILENCE[VITALS],
            read_output=self.signs.read,
        )


def forked(programs: Sequence[Program], modules: Sequence[str]) -> list[Program]:
    """The programs as forks of one that loads these modules, which comes first."""
    server = ForkServer(modules, ROOT)

    def fork(program: Program) -> Forked | None:
        return server.fork(
            program.name,
            _arguments(program.command),
            program.environment,
            reads_output=program.read_output is not None,
        )

    first = Program(
        FORK_SERVER,
        COMMAND,
        QUIET,
        OTHERS_LAST,
        start=lambda program: server.start(program.environment),
        silent_for=server.silence,
        max_silence=MAX_SILENCE[FORK_SERVER],
        ready=server.is_ready,
    )
    return [first, *(replace(program, start=fork, needs=FORK_SERVER) for program in programs)]


def _arguments(command: Sequence[str]) -> tuple[str, ...]:
    """What a command that starts Python would find in `sys.argv`."""
    _python, *rest = command
    return tuple(rest[1:] if rest[0] == "-m" else rest)


def cluster(name: str, signs: VitalSigns | None = None, instance: str = "") -> Program:
    """One django-q2 cluster.

    The name must be in the environment before django-q2 is imported. With `qcluster --name`, the
    settings of the named cluster would not apply.
    """
    return Program(
        "queue" if name == DEFAULT_QUEUE else f"{name} queue",
        # The preparation has run the checks already, and they load every page.
        (*MANAGE, "qcluster", "--skip-checks"),
        {**QUIET, "Q_CLUSTER_NAME": name, INSTANCE: instance},
        THEN_QUEUES,
        silent_for=(lambda: signs.silence_of(name)) if signs else None,
        max_silence=MAX_SILENCE.get(name, 180.0),
    )
