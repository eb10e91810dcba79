"""One host: a real `manage.py portal`, started again when it ends, as a service manager would."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from smsportal.processes.programs import MANAGE

from ..clusters import MOST_THREADS_OF_OTHERS, ROOT, Process, logged, processes

GRACE = 25.0
"""Seconds that the portal may take to stop."""
RESTART_AFTER = 1.0
COMMAND_TAKES = 300.0
"""Seconds after which a command is killed."""
MARK = "SOAK_HOST"
"""The environment variable by which every process of a host is found, orphans included."""
PROGRAMS = {
    "fork server": "fork server",
    "web server": "web",
    "queue": "queue main",
    "engine queue": "engine main",
    "vitals": "vitals",
}
"""The kinds of the programs, by the names that they have in lists of processes."""
KILLABLE = (
    "supervisor",
    "fork server",
    "web",
    "web worker",
    "vitals",
    "queue main",
    "queue sentinel",
    "queue worker",
    "queue monitor",
    "queue pusher",
    "engine main",
    "engine sentinel",
    "engine idle",
    "engine loop",
    "engine monitor",
    "engine pusher",
)
ROLE = re.compile(rb"(ready for work|monitoring|pushing tasks) at (\d+)")
ROLES = {b"ready for work": "worker", b"monitoring": "monitor", b"pushing tasks": "pusher"}
"""How the processes of a cluster announce themselves in the log."""


@dataclass(frozen=True)
class Found:
    """A process of a host. `kind` is one of KILLABLE."""

    pid: int
    kind: str


class PortalHost:
    def __init__(
        self, name: str, folder: Path, data: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.port = _free_port()
        self.bind = f"127.0.0.1:{self.port}"
        self.starts = 0
        self.late_stops = 0
        """How often the portal did not stop in time and was killed."""
        self._clock = folder / f"{name}.clock"
        self._clock.write_text("+0")
        self._announced: dict[int, str] = {}
        """The role of each process below a sentinel, by its number."""
        self._read_until = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._start_at = 0.0
        self._wanted = False
        self._environment = {
            **os.environ,
            "DATA_DIR": str(data),
            "STATE_DIR": str(folder / f"{name}.state"),
            "BIND": self.bind,
            "PUBLIC_ADDRESS": f"http://{self.bind}",
            "WEB_PROCESSES": "1",
            # The processes of a cluster announce their roles.
            "LOG_LEVEL": "INFO",
            # Another run beside this one has hosts of the same names.
            MARK: str(folder / name),
            **(environment or {}),
        }

    def preload_clock(self, library: Path) -> None:
        """Let `step_clock` move this host's clock. Call it before the first start."""
        self._environment |= {"LD_PRELOAD": str(library), "WALL_CLOCK_OFFSET": str(self._clock)}

    def step_clock(self, seconds: int) -> None:
        """Set the offset of this host's clock from the true time."""
        other = self._clock.with_suffix(".new")
        other.write_text(f"{seconds:+d}")
        other.replace(self._clock)

    # --- running ---------------------------------------------------------------------

    def start(self) -> None:
        self._wanted = True
        self.starts += 1
        self._process = subprocess.Popen(
            logged((*MANAGE, "portal", "--grace", f"{GRACE:g}"), self.log),
            env=self._environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def supervise(self) -> bool:
        """Start the portal again if it ended. Returns whether it ended."""
        process = self._process
        if process is not None and process.poll() is not None:
            self._process = None
            self._start_at = time.monotonic() + RESTART_AFTER
            return self._wanted
        if process is None and self._wanted and time.monotonic() >= self._start_at:
            self.start()
        return False

    def terminate(self) -> None:
        """Ask the portal to stop. It is not started again before `start`."""
        self._wanted = False
        if self._process is not None:
            self._process.terminate()

    def has_stopped(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        return self._process is None and not self.running()

    def manage(self, *words: str, wait: Callable[[float], None] = time.sleep) -> str:
        """Run a command of the portal on this host. Returns all that it printed.

        `wait` is called with some seconds until the command has ended.
        """
        with tempfile.TemporaryFile() as output:
            command = subprocess.Popen(
                (*MANAGE, *words),
                env=self._environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            deadline = time.monotonic() + COMMAND_TAKES
            while command.poll() is None:
                wait(0.2)
                if time.monotonic() > deadline:
                    command.kill()
            output.seek(0)
            return output.read().decode(errors="replace")

    def kill(self) -> None:
        """End every process of this host at once."""
        while found := self.running():
            for one in found:
                _signal(one.pid, signal.SIGKILL)
            time.sleep(0.02)
            if self._process is not None:
                self._process.poll()

    def is_ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        # A loop that finds no free account looks idle, so the loops of this host are no sign.
        return any(one.kind.startswith("engine ") for one in self.classified())

    # --- processes -------------------------------------------------------------------

    def running(self) -> list[Process]:
        mark = f"{MARK}={self._environment[MARK]}".encode()
        return [one for one in processes() if mark in _environ(one.pid).split(b"\0")]

    def classified(self) -> list[Found]:
        """The host's processes by kind, without those that are just being born or reparented."""
        self._read_roles()
        found: dict[int, Found] = {}
        if self._process is not None:
            found[self._process.pid] = Found(self._process.pid, "supervisor")
        # A parent has mostly a lower number than its children. The passes catch the others.
        for _ in range(4):
            for one in self.running():
                parent = found.get(one.parent)
                if parent is not None and one.pid not in found:
                    kind = _kind_below(parent.kind, one, self._announced.get(one.pid, ""))
                    if kind:
                        found[one.pid] = Found(one.pid, kind)
        return list(found.values())

    def _read_roles(self) -> None:
        """Read what the log has announced since the last call."""
        if not self.log.exists():
            return
        with self.log.open("rb") as log:
            log.seek(self._read_until)
            lines, end, _ = log.read().rpartition(b"\n")
        self._read_until += len(lines + end)
        for words, pid in ROLE.findall(lines):
            self._announced[int(pid)] = ROLES[words]

    def signal_one(self, kind: str, chance: random.Random, number: signal.Signals) -> int | None:
        """Signal a process of this kind. Returns its number, or None if there is none."""
        matching = sorted(one.pid for one in self.classified() if one.kind == kind)
        if not matching:
            return None
        pid = chance.choice(matching)
        return pid if _signal(pid, number) else None

    def signal_pid(self, pid: int, number: signal.Signals) -> None:
        """Signal a process that `signal_one` returned, if it still runs."""
        if any(one.pid == pid for one in self.running()):
            _signal(pid, number)


def _kind_below(parent: str, process: Process, role: str) -> str:
    """The kind of a process, from its parent's kind and the role that it announced."""
    if parent == "supervisor":
        return _program(process.pid)
    if parent == "web":
        return "web worker"
    cluster, _, level = parent.partition(" ")
    if level == "main":
        return f"{cluster} sentinel"
    if level != "sentinel" or not role:
        return ""
    if parent == "engine sentinel" and role == "worker":
        return "engine loop" if process.threads > MOST_THREADS_OF_OTHERS else "engine idle"
    return f"{cluster} {role}"


def _program(pid: int) -> str:
    return PROGRAMS.get(_read(pid, "comm").decode().strip(), "")


def rss_of(pid: int) -> int:
    """Resident memory in bytes; 0 if the process has ended."""
    words = _read(pid, "statm").split()
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE") if len(words) > 1 else 0


def _environ(pid: int) -> bytes:
    return _read(pid, "environ")


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _signal(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _free_port() -> int:
    """A port below those that clients get, since it has to stay free while a host is down."""
    for port in random.sample(range(15_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("No port is free.")
