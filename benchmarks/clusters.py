"""Real processes for a measurement: supervised engine clusters and the sandbox.

Import this after `portal.begin()`: the processes inherit the environment that it sets.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError, connection

from providers.engine import heartbeats
from sandbox.remote import Remote
from smsportal.processes.programs import MANAGE, cluster
from smsportal.processes.supervisor import Child

ROOT = Path(__file__).resolve().parent.parent
STOPS_WITHIN = 30.0
RESTART_AFTER = (0.5, 2.0)
"""Seconds before a cluster that ended is restarted: the first delay and the longest."""

LONGEST_SILENCE = 40.0
"""Seconds without any loop after which a cluster counts as hung.

The portal's supervisor waits longer, since its schedule checks for missing loops once a minute.
"""

MOST_THREADS_OF_OTHERS = 2
"""The second thread feeds a pipe to another process."""


def _silence() -> float:
    """Seconds since the newest heartbeat of any loop; 0 if unknown."""
    try:
        return heartbeats.seconds_since_last_beat()
    except DatabaseError:
        connection.close()  # The next query opens a new one.
        return 0


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    threads: int


def processes() -> list[Process]:
    """Every running process, zombies excluded.

    Reads /proc, since `ps` is so slow on a busy machine that a kill would come too late.
    """
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        # The program's name in brackets may contain anything. proc_pid_stat(5) counts from 1.
        state, parent, *rest = text.rpartition(")")[2].split()
        if state != "Z":
            found.append(Process(int(stat.parent.name), int(parent), int(rest[15])))
    return found


def is_running(pid: int) -> bool:
    return any(process.pid == pid for process in processes())


class Host:
    """One engine cluster. It is restarted when it ends, as by the portal's supervisor.

    It has its own session, so that `killpg` ends all of it.
    """

    def __init__(self, name: str, folder: Path, **environment: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.hung = 0
        program = cluster("engine")
        self._child = Child(
            dataclasses.replace(
                program,
                name=name,
                command=logged(program.command, self.log),
                environment={**program.environment, **environment},
                silent_for=_silence,
                max_silence=LONGEST_SILENCE,
            ),
            *RESTART_AFTER,
        )
        self._child.start()

    def supervise(self) -> bool:
        """Restart the cluster if it ended.

        Returns True if it ended. Its remaining processes, loops with open calls among them, have
        just been killed in that case.
        """
        child = self._child
        code = child.poll_exit()
        if child.is_hanging():
            self.hung += 1
            code = child.kill()
        if code is not None:
            child.schedule_restart()
        elif child.process is None and time.monotonic() >= child.start_at:
            child.start()
        return code is not None

    @property
    def main(self) -> int | None:
        process = self._child.process
        return process.pid if process and process.poll() is None else None

    @property
    def sentinel(self) -> int | None:
        main = self.main
        return next((one.pid for one in processes() if one.parent == main), None)

    def below_sentinel(self, *, calling: bool) -> list[Process]:
        """Child processes of the sentinel: the loops that make calls, or the others.

        Loops that make calls have more threads. The others are idle workers, standby loops, the
        pusher and the monitor.
        """
        running, main = processes(), self.main
        sentinels = {one.pid for one in running if one.parent == main}
        below = [one for one in running if one.parent in sentinels]
        return [one for one in below if (one.threads > MOST_THREADS_OF_OTHERS) == calling]

    def busiest(self) -> Process | None:
        """The process with the most threads: the loop that holds the leases."""
        return max(self.below_sentinel(calling=True), key=lambda one: one.threads, default=None)

    def kill(self) -> None:
        """End the cluster at once. Use this if nothing is left to drain."""
        self._child.kill()

    def stop(self) -> None:
        """Let the cluster drain, and kill it after STOPS_WITHIN."""
        self._child.terminate()
        deadline = time.monotonic() + STOPS_WITHIN
        while self._child.process and time.monotonic() < deadline:
            self._child.poll_exit()
            time.sleep(0.05)
        self._child.kill()


def logged(command: Sequence[str], log: Path) -> Sequence[str]:
    """The same command with its output in a file. The shell replaces itself with the command."""
    return ("/bin/sh", "-c", 'exec "$@" >>"$0" 2>&1', str(log), *command)


@contextmanager
def hosts(number: int, folder: Path) -> Iterator[list[Host]]:
    """Run this number of engine clusters.

    On PostgreSQL each has its own data folder, as on hosts that share only the database.
    """
    from django.conf import settings

    started: list[Host] = []
    try:
        for index in range(number):
            own = folder / f"host{index + 1}"
            own.mkdir()
            environment = {} if settings.ON_SQLITE else {"DATA_DIR": str(own)}
            started.append(Host(own.name, folder, **environment))
        yield started
    finally:
        for host in started:
            host.stop()


@contextmanager
def sandbox_process(delay: float, **settings: object) -> Iterator[tuple[Remote, str]]:
    """Run the sandbox in its own process.

    HAORUI answers after `delay` seconds and sends no reports. Yields the sandbox's client and
    HAORUI's address.
    """
    command = [*MANAGE, "sandbox", "--port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with Remote(url, timeout=60) as remote:
            remote.change_settings("haorui", report_delay=None, **settings)
            answer_after(remote, delay)
            yield remote, f"{url}/haorui"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answer_after(remote: Remote, seconds: float, provider: str = "haorui") -> None:
    """Set the delay of a provider. The new delay applies before the old one is removed."""
    active = remote.state()["active"]
    remote.fault("slow", provider=provider, calls=None, seconds=seconds)
    for old in active if isinstance(active, list) else []:
        if old["provider"] == provider:
            remote.clear_faults(old["number"])


def calls_of(remote: Remote, after: int = 0) -> list[dict[str, object]]:
    """Every call to HAORUI after this entry of the book, in order of arrival."""
    return remote.entries("haorui", "send", "call", after=after, limit=1_000_000)


def count_calls(remote: Remote) -> int:
    """The number of calls that HAORUI accepted."""
    counters = remote.state()["counters"]
    assert isinstance(counters, dict)
    return int(counters.get("haorui.send.call.accepted", 0))
